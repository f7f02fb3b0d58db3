//! A browser at the therapist's desk: it keeps cookies, sends its own `Origin`, and follows nothing by itself.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::http::{Method, StatusCode};

use super::{Answer, BROWSER, TestApp, urlencoded};

/// One browser, with its cookies.
pub struct Browser<'a> {
    app: &'a TestApp,
    pub cookies: Mutex<BTreeMap<String, String>>,
    user_agent: &'static str,
}

/// What an iPhone says it is.
pub const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

impl<'a> Browser<'a> {
    /// A browser that has never been here.
    pub fn new(app: &'a TestApp) -> Self {
        Self {
            app,
            cookies: Mutex::default(),
            user_agent: IPHONE,
        }
    }

    /// A browser that is signed in.
    pub async fn signed_in(app: &'a TestApp) -> Self {
        let browser = Self::new(app);
        let answer = browser.sign_in().await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        browser
    }

    /// Asks for a code, reads the email, and types the code in.
    pub async fn sign_in(&self) -> Answer {
        let asked = self.post("/desk/sign-in", &[]).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
        let code = last_code(self.app);
        self.post("/desk/code", &[("code", &code)]).await
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    /// Posts a form of a page of the desk's own.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.app.desk.url();
        self.post_from(Some(origin), path, fields).await
    }

    /// Posts a form from a page of this origin.
    pub async fn post_from(
        &self,
        origin: Option<&str>,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(origin.map(|origin| ("origin", origin)));
        self.send(Method::POST, path, &headers, urlencoded(fields))
            .await
    }

    /// Sends a request with the browser's cookies, and keeps those that come back.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let cookie = self.cookie_header();
        let mut all = vec![("accept", BROWSER), ("user-agent", self.user_agent)];
        all.extend_from_slice(headers);
        if !cookie.is_empty() {
            all.push(("cookie", cookie.as_str()));
        }
        let answer = self.app.send(method, path, &all, body).await;
        let mut cookies = self.cookies.lock().unwrap();
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (pair, attributes) = set.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        drop(cookies);
        answer
    }

    pub fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        let pairs = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

/// The code in the newest email.
pub fn last_code(app: &TestApp) -> String {
    let emails = app.desk.emails();
    let text = emails.last().unwrap().text.clone().unwrap_or_default();
    let digits = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = text.lines().map(str::trim).find(digits);
    code.unwrap_or_else(|| panic!("no code in {text}"))
        .to_owned()
}
