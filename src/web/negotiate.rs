//! The response format: a page for a browser, or JSON for a program.

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseFormat {
    /// A page.
    Html,
    /// JSON, and problems as RFC 9457 describes them.
    Json,
}

impl ResponseFormat {
    /// `Accept` decides; where it has no preference, the answer speaks the language of the question.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let accept: Vec<&str> = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let accept = accept.join(",");
        let html = quality(&accept, "text/html");
        // A problem is JSON too, for a client that names it; a wildcard speaks of `application/json` alone.
        let names_problems = accept
            .to_ascii_lowercase()
            .contains("application/problem+json");
        let problem = names_problems.then(|| quality(&accept, "application/problem+json"));
        let json = quality(&accept, "application/json").max(problem.unwrap_or_default());
        match html.cmp(&json) {
            std::cmp::Ordering::Greater => Self::Html,
            std::cmp::Ordering::Less => Self::Json,
            std::cmp::Ordering::Equal if posts_json(headers) => Self::Json,
            std::cmp::Ordering::Equal => Self::Html,
        }
    }
}

fn posts_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    content_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// The quality, in thousandths, that an `Accept` header gives to a media type. The most specific range that fits
/// decides (RFC 9110, section 12.5.1).
fn quality(accept: &str, media_type: &str) -> u16 {
    let (kind, subtype) = media_type.split_once('/').unwrap_or_default();
    let of_range = |range: &str| {
        let mut parts = range.split(';');
        let (range_kind, range_subtype) = parts.next()?.trim().split_once('/')?;
        let specificity = match (range_kind, range_subtype) {
            ("*", "*") => 0,
            (k, "*") if k.eq_ignore_ascii_case(kind) => 1,
            (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => 2,
            _ => return None,
        };
        let weight = parts.find_map(|part| {
            let (name, weight) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then_some(weight)
        });
        let weight: f32 = weight.map_or(Ok(1.0), |q| q.trim().parse()).unwrap_or(0.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=1000"
        )]
        let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
        Some((specificity, thousandths))
    };
    let fitting = accept.split(',').filter_map(of_range);
    fitting.max().map_or(0, |(_, thousandths)| thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn accept_decides_and_the_body_breaks_a_tie() {
        let browser =
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
        for (accept, content_type, format) in [
            (
                Some(browser),
                "application/x-www-form-urlencoded",
                ResponseFormat::Html,
            ),
            (
                Some("application/json"),
                "application/x-www-form-urlencoded",
                ResponseFormat::Json,
            ),
            (
                Some("application/problem+json"),
                "multipart/form-data",
                ResponseFormat::Json,
            ),
            (
                Some("application/json;q=0.5, text/html;q=0.9"),
                "application/json",
                ResponseFormat::Html,
            ),
            (
                Some("text/html;q=0, */*"),
                "application/x-www-form-urlencoded",
                ResponseFormat::Json,
            ),
            (Some("*/*"), "application/json", ResponseFormat::Json),
            (
                Some("text/html;Q=0.1, application/json"),
                "multipart/form-data",
                ResponseFormat::Json,
            ),
            (
                Some("APPLICATION/JSON"),
                "application/x-www-form-urlencoded",
                ResponseFormat::Json,
            ),
            (
                Some("application/*"),
                "multipart/form-data",
                ResponseFormat::Json,
            ),
            (Some("text/*"), "application/json", ResponseFormat::Html),
            (
                Some("text/html;level=1;q=0.4, */*;q=0.3"),
                "application/json",
                ResponseFormat::Html,
            ),
            (Some(""), "application/json", ResponseFormat::Json),
            (Some("rubbish"), "multipart/form-data", ResponseFormat::Html),
            (
                Some("text/html;q=rubbish, application/json;q=0.1"),
                "multipart/form-data",
                ResponseFormat::Json,
            ),
            (
                Some("*/*"),
                "application/x-www-form-urlencoded",
                ResponseFormat::Html,
            ),
            (
                None,
                "application/json; charset=utf-8",
                ResponseFormat::Json,
            ),
            (None, "multipart/form-data", ResponseFormat::Html),
            (Some("image/png"), "application/json", ResponseFormat::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(
                ResponseFormat::negotiate(&headers),
                format,
                "{accept:?} {content_type}"
            );
        }
    }
}
