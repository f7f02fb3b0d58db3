//! Reads HTML strictly, to find any tag, attribute or link that our templates do not write: then typed text has become markup.

/// The tags of our pages and emails.
const TAGS: &[&str] = &[
    "a", "body", "br", "button", "code", "dd", "details", "div", "dl", "dt", "em", "fieldset",
    "footer", "form", "h1", "h2", "h3", "head", "header", "html", "input", "label", "legend", "li",
    "link", "main", "meta", "nav", "ol", "p", "script", "section", "span", "strong", "style",
    "summary", "table", "td", "textarea", "title", "tr", "ul", "wbr",
];

/// Their attributes, beside those of `aria-` and `data-`.
const ATTRIBUTES: &[&str] = &[
    "action",
    "autocomplete",
    "autofocus",
    "charset",
    "checked",
    "class",
    "content",
    "defer",
    "dir",
    "enterkeyhint",
    "for",
    "formnovalidate",
    "hidden",
    "href",
    "id",
    "inputmode",
    "lang",
    "maxlength",
    "media",
    "method",
    "name",
    "novalidate",
    "open",
    "rel",
    "required",
    "role",
    "rows",
    "spellcheck",
    "src",
    "style",
    "tabindex",
    "type",
    "value",
];

/// What is in an HTML text that our templates would not write, with the links that may stand in it.
///
/// # Errors
/// The first tag, attribute or link that is none of ours.
pub fn check(html: &str, links: &[&str]) -> Result<(), String> {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(after) = rest
            .strip_prefix("!doctype html>")
            .or_else(|| rest.strip_prefix("!DOCTYPE html>"))
        {
            rest = after;
            continue;
        }
        if let Some(comment) = rest.strip_prefix("!--") {
            let end = comment.find("-->").ok_or("a comment without an end")?;
            rest = &comment[end + 3..];
            continue;
        }
        let closing = rest.starts_with('/');
        rest = rest.trim_start_matches('/');
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .ok_or("a tag without an end")?;
        let tag = &rest[..end];
        if !TAGS.contains(&tag) {
            return Err(format!(
                "the tag {:?}",
                &rest[..rest.floor_char_boundary(40)]
            ));
        }
        rest = attributes(&rest[end..], links)?;
        if tag == "style" && !closing {
            rest = &rest[rest.find("</style>").ok_or("a style without an end")?..];
        }
    }
    Ok(())
}

/// Reads the attributes of a tag, and returns what follows it.
fn attributes<'h>(mut rest: &'h str, links: &[&str]) -> Result<&'h str, String> {
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
            return Ok(after);
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(rest.len());
        let name = &rest[..end];
        if !ATTRIBUTES.contains(&name) && !name.starts_with("aria-") && !name.starts_with("data-") {
            return Err(format!(
                "the attribute {:?}",
                &rest[..rest.floor_char_boundary(40)]
            ));
        }
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let end = value.find('"').ok_or("an attribute without an end")?;
            let target = &value[..end];
            let leads = matches!(name, "href" | "src" | "action");
            let ours = ["/", "#", "tel:", "sms:", "mailto:"];
            if leads
                && (!ours.iter().any(|ours| target.starts_with(ours)) || target.starts_with("//"))
                && !links.contains(&target)
                && target != "data:,"
            {
                return Err(format!("a link to {target:?}"));
            }
            rest = &value[end + 1..];
        }
    }
}
