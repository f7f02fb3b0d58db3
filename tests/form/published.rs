//! The form for sites that are built by themselves: as a part of a page, and as data.

use axum::http::StatusCode;
use enquiry_desk::enquiry::field::Section;
use enquiry_desk::enquiry::fields;
use enquiry_desk::practice::Practice;

use crate::support::{TestApp, emulated};

#[tokio::test]
async fn a_site_gets_the_form_of_the_practice_in_force_as_html_and_as_data() {
    let physio = Practice::from_toml(include_str!("../physiotherapist.toml")).unwrap();
    let app = TestApp::start_for(physio.clone(), emulated::options(), &[]).await;
    let action = format!("{}/enquiries", app.desk.url());
    let form = app.get("/form").await;
    assert_eq!(form.status, StatusCode::OK);
    assert_eq!(form.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(form.header("cache-control"), "no-cache");
    let html = form.body.trim();
    assert!(html.starts_with("<form ") && html.ends_with("</form>"));
    assert!(html.contains(&format!("action=\"{action}\"")), "{html}");

    let data = app.get("/form.json").await.json();
    assert_eq!(data["action"], action);
    assert_eq!(data["consent"]["version"], physio.consent.version);
    let questions = data["questions"].as_array().unwrap();
    let shown = fields(&physio).filter(|row| row.section != Section::Hidden);
    let names: Vec<&str> = shown.map(|row| row.key).collect();
    let told: Vec<&str> = questions
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(told, names);
    for name in names {
        assert!(html.contains(&format!("name=\"{name}\"")), "{name}");
    }
    let sport = questions.iter().find(|it| it["name"] == "q_sport").unwrap();
    assert_eq!(sport["kind"], "one-of");
    assert_eq!(sport["required"], true);
    assert_eq!(sport["more"], false);
    let scans = questions.iter().find(|it| it["name"] == "q_scans").unwrap();
    assert_eq!(scans["more"], true);
    assert_eq!(sport["options"][1]["label"], "Running & walking");
    app.finish().await;
}
