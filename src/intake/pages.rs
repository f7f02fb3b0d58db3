//! stub
use super::EnquiryForm;
use crate::enquiry::*;
use crate::practice::Practice;
pub(super) struct Notice {
    pub title: &'static str,
    pub words: String,
}
pub(super) struct FormPage<'a> {
    pub practice: &'a Practice,
    pub form: &'a EnquiryForm,
    pub faults: &'a [Fault],
    pub suggestion: Option<EmailAddress>,
    pub notice: Option<Notice>,
    pub submission: String,
    pub action: &'a str,
}
impl FormPage<'_> {
    pub(super) fn render(&self) -> Result<String, askama::Error> {
        Ok("form".into())
    }
}
pub(super) struct ConfirmationPage<'a> {
    pub practice: &'a Practice,
    pub reference: Option<&'a Reference>,
}
impl ConfirmationPage<'_> {
    pub(super) fn render(&self) -> Result<String, askama::Error> {
        Ok("form".into())
    }
}
pub(super) struct RefusalPage<'a> {
    pub practice: &'a Practice,
    pub title: &'static str,
    pub words: String,
}
impl RefusalPage<'_> {
    pub(super) fn render(&self) -> Result<String, askama::Error> {
        Ok("form".into())
    }
}
