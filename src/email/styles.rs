//! The look of the emails, in one place: inline styles, since many email programs drop everything else.
//!
//! `<style>` in the layout only adds the dark colours and may be stripped. The classes there are named after these
//! constants. Nothing is used here that the big email programs do not support (see the table in `tests/emails/content.rs`).

/// The ground on which the email lies.
pub(super) const GROUND: &str = "margin:0;padding:0;background-color:#f5f0e8;";
/// The outermost table.
pub(super) const OUTER: &str = "width:100%;border-collapse:collapse;background-color:#f5f0e8;";
/// The cell that keeps the email off the edges.
pub(super) const FRAME: &str = "padding:20px 10px 28px;";
/// The email: one column.
pub(super) const SHEET: &str = "width:100%;max-width:600px;margin:0 auto;border-collapse:separate;border-spacing:0;background-color:#ffffff;border:1px solid #e6ddd0;border-radius:12px;";
/// The head with the practice's name.
pub(super) const HEAD: &str = "padding:20px 22px 16px;border-bottom:1px solid #e6ddd0;font-family:Georgia,'Times New Roman',serif;font-size:20px;line-height:1.3;color:#2b5748;text-align:left;";
/// The line under the practice's name.
pub(super) const TRADE: &str =
    "font-family:Verdana,Geneva,sans-serif;font-size:14px;line-height:1.5;color:#665d54;";
/// The cell of the email's text.
pub(super) const BODY: &str = "padding:22px 22px 12px;font-family:Verdana,Geneva,sans-serif;font-size:16px;line-height:1.6;color:#2f2a26;text-align:left;overflow-wrap:break-word;word-break:break-word;";
/// The first heading.
pub(super) const TITLE: &str = "margin:0 0 14px;font-family:Georgia,'Times New Roman',serif;font-size:26px;line-height:1.25;font-weight:bold;color:#2f2a26;";
/// The headings of parts.
pub(super) const PART: &str = "margin:28px 0 10px;font-family:Georgia,'Times New Roman',serif;font-size:20px;line-height:1.3;font-weight:bold;color:#2b5748;";
/// The headings within a part.
pub(super) const NAME: &str = "margin:0 0 6px;font-family:Georgia,'Times New Roman',serif;font-size:18px;line-height:1.35;font-weight:bold;color:#2f2a26;";
/// A paragraph.
pub(super) const TEXT: &str = "margin:0 0 14px;";
/// The name under an email.
pub(super) const SIGNED: &str = "margin:24px 0 8px;";
/// A paragraph at the end of a box.
pub(super) const LAST: &str = "margin:0;";
/// A table that is as wide as the text.
pub(super) const FULL: &str =
    "width:100%;border-collapse:separate;border-spacing:0;margin:0 0 16px;";
/// The box around what matters most.
pub(super) const BOX: &str = "padding:16px 18px;background-color:#edf3ee;border:1px solid #cfdfd4;border-radius:10px;color:#2f2a26;";
/// The box around what must not be overlooked.
pub(super) const ALERT: &str = "padding:14px 18px;background-color:#fdf2d8;border:1px solid #e2bf6d;border-radius:10px;color:#4f3700;";
/// A label above an answer.
pub(super) const LABEL: &str = "margin:0;font-size:14px;line-height:1.5;color:#665d54;";
/// A label below a line that leaves no room under it.
pub(super) const LATER: &str = "margin:16px 0 0;font-size:14px;line-height:1.5;color:#665d54;";
/// One more way to reach the client.
pub(super) const WAY: &str = "margin:8px 0 0;";
/// An answer under its label.
pub(super) const ANSWER: &str = "margin:0 0 12px;";
/// A record to paste somewhere: its longest name has room on a phone, broken behind a dot.
pub(super) const CODE: &str = "font-size:13px;";
/// What the client wrote.
pub(super) const TYPED: &str =
    "margin:0 0 12px;padding:2px 0 2px 12px;border-left:3px solid #cfdfd4;";
/// The link that answers the client.
pub(super) const BUTTON: &str = "display:inline-block;padding:10px 18px;background-color:#2b5748;border-radius:8px;color:#ffffff;font-weight:bold;text-decoration:none;";
/// A link that does something else.
pub(super) const QUIET: &str = "display:inline-block;padding:9px 17px;border:1px solid #2b5748;border-radius:8px;color:#2b5748;font-weight:bold;text-decoration:none;";
/// A paragraph below links that leave no room under them.
pub(super) const AFTER: &str = "margin:14px 0;";
/// A link in running text.
pub(super) const LINK: &str = "color:#2b5748;text-decoration:underline;";
/// The foot, outside of the email proper.
pub(super) const FOOT: &str = "padding:14px 22px 20px;border-top:1px solid #e6ddd0;font-family:Verdana,Geneva,sans-serif;font-size:14px;line-height:1.55;color:#665d54;text-align:left;overflow-wrap:break-word;word-break:break-word;";
/// The line that email programs show beside the subject.
pub(super) const PREHEADER: &str = "display:none;max-height:0;overflow:hidden;";
