//! The desk's pages and the client's own, in the browser: made by the product itself, on a desk of its own that is lived for a few
//! days. What would take an accident is brought about: SES stops, an item is written by a newer version, the table is gone.
//!
//! What is done there is written as steps, one a line: the name of the page that is kept, or `-`; its address; and the form that is
//! posted, as browsers write it, or `.` for an empty one. `+zoe` and a form is an enquiry, which is `{zoe}` from then on.
//!
//! One file because each part goes on from what the one before it left.

use std::collections::BTreeMap;

use aws_emulator::clock::Jump;
use aws_emulator::ses::account::{Account, MailFrom, Recommendation};
use aws_emulator::ses::faults::Fault;
use aws_sdk_dynamodb::types::AttributeValue;
use enquiry_desk::enquiry::Reference;
use enquiry_desk::practice::Practice;
use enquiry_desk::record::{NightlyTest, Step};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::house::{Answer, FORM, House};
use crate::pages::{Section, Shown};
use crate::wrong_practice::WRONG;

/// A Monday, nine o'clock in London.
const MONDAY: &str = "2026-11-23T09:00:00Z";

/// What a build that holds no practice is told at its deployment.
const BEGINNING: [(&str, &str); 3] = [
    ("PRACTICE_NAME", "Quiet Hands"),
    ("PRACTICE_PHONE", "01632 960123"),
    ("TIME_ZONE", "Europe/London"),
];

const NONE: &[(&str, &str)] = &[];

/// Pages as they are gathered, section by section.
struct Album {
    house: House,
    pages: Vec<Shown>,
    sections: Vec<Section>,
    /// The references of the enquiries, by what the steps call them.
    references: BTreeMap<String, String>,
}

impl Album {
    fn keep(&mut self, name: &str, answer: Answer) -> Result<(), String> {
        if !answer.body.starts_with("<!doctype html>") {
            return Err(format!("{name}: {} {}", answer.status, answer.body));
        }
        self.pages.push(Shown {
            name: name.to_owned(),
            about: name.replace('-', " "),
            html: answer.body,
        });
        Ok(())
    }

    /// Ends a section.
    fn section(&mut self, heading: &'static str) {
        let pages = std::mem::take(&mut self.pages);
        self.sections.push(Section { heading, pages });
    }

    /// Takes the steps, one after the other.
    async fn play(&mut self, steps: &str) -> Result<(), String> {
        for step in steps.trim().lines() {
            let named = self.references.iter();
            let step = named.fold(step.to_owned(), |step, (name, reference)| {
                step.replace(&format!("{{{name}}}"), reference)
            });
            let mut parts = step.split_whitespace();
            let (Some(name), Some(way)) = (parts.next(), parts.next()) else {
                return Err(format!("no step: {step}"));
            };
            if let Some(name) = name.strip_prefix('+') {
                let reference = self.house.enquire(way).await?;
                self.references.insert(name.to_owned(), reference);
                continue;
            }
            let form = parts.next().map(|form| form.trim_start_matches('.'));
            let mut answer = self.house.ask(way, form).await?;
            if !answer.location.is_empty() {
                answer = self.house.ask(&answer.location, None).await?;
            }
            match name {
                "-" if answer.status < 400 => {}
                "-" => return Err(format!("{step}: {} {}", answer.status, answer.body)),
                name => self.keep(name, answer)?,
            }
        }
        Ok(())
    }

    fn reference(&self, name: &str) -> &str {
        self.references.get(name).map_or("", String::as_str)
    }
}

/// Every page, by what it belongs to.
pub(crate) async fn every(practice: &Practice) -> Result<Vec<Section>, String> {
    let monday: Timestamp = MONDAY.parse().map_err(|_| "no time")?;
    let mut sections = Vec::new();
    for desk in [Desk::Lived, Desk::New, Desk::Later] {
        let (at, variables) = match desk {
            Desk::Lived => (monday, NONE),
            Desk::New => (monday, &BEGINNING[..]),
            // Its sender is at a provider, too.
            Desk::Later => (
                before_the_last_holiday(practice).unwrap_or(monday),
                &[("SENDER_EMAIL", "a.practice@gmail.com")][..],
            ),
        };
        let mut album = Album {
            house: House::start(practice, at, variables).await?,
            pages: Vec::new(),
            sections: Vec::new(),
            references: BTreeMap::new(),
        };
        match desk {
            Desk::Lived => lived(&mut album, practice).await?,
            Desk::New => new(&mut album).await?,
            Desk::Later => later(&mut album).await?,
        }
        album.house.stop().await;
        sections.extend(album.sections);
    }
    Ok(sections)
}

/// The desks that the pages are gathered on.
#[derive(Clone, Copy)]
enum Desk {
    Lived,
    New,
    Later,
}

fn before_the_last_holiday(practice: &Practice) -> Option<Timestamp> {
    let last = practice.holidays.iter().map(|it| it.last).max()?;
    let zone = practice.time_zone.rules().clone();
    let morning = last.at(9, 0, 0, 0).to_zoned(zone).ok()?;
    Some(morning.timestamp() - SignedDuration::from_hours(48))
}

async fn lived(album: &mut Album, practice: &Practice) -> Result<(), String> {
    signing_in(album).await?;
    album.section("The desk: signing in, and a new one");
    clients_own_page(album).await?;
    album.section("The client’s own page");
    enquiries(album).await?;
    album.section("The desk: enquiries");
    links(album).await?;
    album.section("The desk: “I’ve answered” from an email");
    people(album).await?;
    album.section("The desk: people and files");
    practice_pages(album).await?;
    album.section("The desk: the practice");
    health(album).await?;
    album.section("The desk: is everything working?");
    accidents(album, practice).await?;
    album.section("The desk: what cannot be done");
    Ok(())
}

async fn signing_in(album: &mut Album) -> Result<(), String> {
    album
        .play(
            "
sign-in         /desk
sign-in-needed  /desk/browsers
code            /desk/sign-in  .
code-wrong      /desk/code  code=00000000
",
        )
        .await?;
    album.house.ses().fail(Fault::ResetBefore);
    let more = "code-unsure /desk/sign-in .\ncode-too-many /desk/sign-in .";
    album.play(more).await?;
    album.house.jump(Jump::Hour).await?;
    album.house.ses().account(|account| account.paused = true);
    album.play("code-not-sent /desk/sign-in .").await?;
    album.house.ses().account(|account| account.paused = false);
    album.house.sign_in("").await?;
    album
        .play(
            "
waiting-none    /desk
enquiries-none  /desk/enquiries
files-none      /desk/files
people-none     /desk/people
health-first    /desk/health
browsers        /desk/browsers
browsers-done   /desk/browsers?done=signed-out
",
        )
        .await
}

async fn clients_own_page(album: &mut Album) -> Result<(), String> {
    let enquiries = "
+ama  name=Ama+Mensah&email=ama@example.com
+ben  name=Ben+Li&email=ben@example.com&phone=07700+900982
+ida  name=Ida+Berg&email=ida@example.com
";
    album.play(enquiries).await?;
    let mine = |album: &Album, name: &str| {
        let way = format!("/mine/{}", album.reference(name));
        let link = album.house.link(&format!("{way}?s="))?;
        let signature = link.replace(&format!("{way}?"), "");
        Ok::<_, String>((way, signature))
    };
    let (way, s) = mine(album, "ama")?;
    let act = album
        .house
        .link(&format!("/desk/act/answered/{}", album.reference("ama")))?;
    let steps = format!(
        "
mine               {way}?{s}
mine-withdraw      {way}?{s}&do=withdraw
mine-disown        {way}?{s}&do=disown
mine-not-ticked    {way}  {s}&do=withdraw
mine-deleted       {way}  {s}&do=withdraw&sure=yes
mine-gone          {way}?s=x
enquiry-withdrawn  /desk/enquiries/{{ama}}
link-withdrawn     {act}
"
    );
    album.play(&steps).await?;
    // A site that may send enquiries, and is not the desk itself.
    let other = album.house.url().replace("127.0.0.1", "localhost");
    let elsewhere = album.house.post_from(&other, &way, FORM, "").await?;
    album.keep("mine-elsewhere", elsewhere)?;
    for (name, page) in [
        ("ben", "enquiry-disowned"),
        ("ida", "enquiry-disowned-no-phone"),
    ] {
        let (way, s) = mine(album, name)?;
        let kept = if name == "ben" { "mine-disowned" } else { "-" };
        let steps =
            format!("{kept} {way} {s}&do=disown&sure=yes\n{page} /desk/enquiries/{{{name}}}");
        album.play(&steps).await?;
    }
    Ok(())
}

async fn enquiries(album: &mut Album) -> Result<(), String> {
    album
        .play(
            "
+zoe   name=Zoë+O’Brien&email=zoe@example.com&phone=07700+900982&contact_by=text&area=lower-back&area=neck&cause=posture&message=It+began+in+spring.
+again  name=Zoë+O’Brien&email=zoe@example.com&goal=relax&warmth=yes&times=Tuesday+mornings
+spam  name=Cheap+Watches&email=watches@example.com&extra_detail=x
+sam   name=Sam+Carter&email=bounce@simulator.amazonses.com&recent_injury=yes&contact_by=phone&phone=01632+960123
+ewa   name=Ewa+Nowak&email=bounce%2B2@simulator.amazonses.com
enquiry              /desk/enquiries/{zoe}
enquiry-again        /desk/enquiries/{again}
enquiry-suspect      /desk/enquiries/{spam}
enquiry-bounced      /desk/enquiries/{sam}
enquiry-unreachable  /desk/enquiries/{ewa}
note                 /desk/enquiries/{zoe}/note  note=Prefers+mornings.&seen=0
note-changed         /desk/enquiries/{zoe}/note  note=Rang.&seen=0
-                    /desk/enquiries/{zoe}/note  note=&seen=1
note-removed         /desk/enquiries/{zoe}/note  note=Rang.&seen=1
done-complaint       /desk/enquiries/{zoe}/complaint  .
done-acknowledged    /desk/enquiries/{zoe}/acknowledged  .
done-answered        /desk/enquiries/{again}/mark  as=answered&seen=waiting
done-undone          /desk/enquiries/{again}/undo  undone=answered
done-booked          /desk/enquiries/{again}/mark  as=booked&seen=waiting
done-nothing         /desk/enquiries/{again}/mark  as=booked&seen=waiting
-                    /desk/enquiries/{again}/undo  undone=booked
done-declined        /desk/enquiries/{again}/mark  as=declined&seen=waiting
done-blocked         /desk/enquiries/{spam}/block  .
done-unblocked       /desk/enquiries/{spam}/unblock  .
done-not-spam        /desk/enquiries/{spam}/not-spam  .
done-spam            /desk/enquiries/{spam}/spam  .
done-trusted         /desk/enquiries/{zoe}/trust  .
done-resent          /desk/enquiries/{zoe}/resend  .
done-noted           /desk/enquiries/{zoe}/note  note=Prefers+mornings.&seen=2
-                    /desk/enquiries/{spam}/block  .
waiting              /desk
+more  name=Cheap+Shoes&email=shoes@example.com&extra_detail=x
",
        )
        .await?;
    let long = format!(
        "note-too-long /desk/enquiries/{{zoe}}/note note={}&seen=3",
        "a".repeat(2_001)
    );
    album.play(&long).await?;
    everything_that_can_happen(album, "ewa").await?;
    album.play("timeline /desk/enquiries/{ewa}").await?;
    album.house.jump(Jump::Day).await?;
    let more = "+anne name=Anne-Marie+Okonkwo&email=anne@example.com&message=Is+there+parking?&nickname=Annie";
    album.play(more).await?;
    album.house.jump(Jump::Day).await?;
    album
        .play(
            "
waiting-overdue    /desk
enquiry-overdue    /desk/enquiries/{zoe}
enquiries          /desk/enquiries
enquiries-suspect  /desk/enquiries?show=suspect
search             /desk/enquiries/search  search=anne-marie
search-none        /desk/enquiries/search  search=Rebecca
no-enquiry         /desk/enquiries/BB-7KQ4M
",
        )
        .await?;
    album.house.ses().account(|account| account.paused = true);
    let waits =
        "+joe name=Joe+Bloggs&email=joe@example.com\nresend-pending /desk/enquiries/{joe}/resend .";
    album.play(waits).await?;
    album.house.ses().account(|account| account.paused = false);
    let key = format!("enquiry#{}", album.reference("joe"));
    album.house.set(&key, "v", number("99")).await?;
    album
        .play("enquiries-newer /desk/enquiries\nenquiry-newer /desk/enquiries/{joe}")
        .await
}

/// Everything that can happen to an enquiry, as its timeline in the table has it.
const HAPPENED: &str = "sent therapist 1,not_sent auto_reply 2,sent notice 3,sent reminder 1,failed auto_reply MessageRejected,\
    unknown auto_reply,reported auto_reply delivered,reported auto_reply bounced Permanent/General 5.1.1,\
    reported auto_reply bounced_for_now,reported auto_reply complained,reported auto_reply suppressed,reported auto_reply rejected,\
    reported auto_reply delayed,spam desk,not_spam command,resend therapist desk,noted desk,note_removed desk,blocked desk,trusted desk,\
    unblocked desk,withdrawn,kept,disowned,data_complaint desk,acknowledged link,marked waiting desk,marked answered desk,\
    marked booked desk,marked declined desk,undone waiting desk,undone answered desk,undone booked desk,undone declined desk,\
    withheld suspect,withheld sandbox,withheld own_address,withheld role_address,withheld unsendable,withheld cool_down,\
    withheld undeliverable,withheld daily_cap,withheld counters_unavailable,withheld late,withheld counted,withheld withdrawn";

/// Gives an enquiry that timeline.
async fn everything_that_can_happen(album: &Album, name: &str) -> Result<(), String> {
    let lines = HAPPENED
        .split(',')
        .map(|it| text(&format!("{MONDAY} {}", it.trim())));
    let key = format!("state#{}", album.reference(name));
    let lines = AttributeValue::L(lines.collect());
    album.house.set(&key, "timeline", lines).await
}

async fn links(album: &mut Album) -> Result<(), String> {
    album
        .play("+ola name=Ola+Novak&email=ola@example.com")
        .await?;
    let way = format!("/desk/act/answered/{}", album.reference("ola"));
    let link = album.house.link(&way)?;
    let carried = link.replace(&format!("{way}?"), "");
    let steps = format!("link {link}\nlink-too-soon {way} {carried}&do=answered");
    album.play(&steps).await?;
    album.house.jump(Jump::Hour).await?;
    let steps = format!(
        "
link-answered   {way}  {carried}&do=answered
-               {way}  {carried}&do=undo
-               /desk/enquiries/{{ola}}/mark  as=booked&seen=waiting
link-otherwise  {link}
link-worn       {way}?t=1&s=x
"
    );
    album.play(&steps).await
}

async fn people(album: &mut Album) -> Result<(), String> {
    album
        .play(
            "
people                /desk/people
people-done           /desk/people?done=forgotten
people-error          /desk/people  email=zoe
person                /desk/people  email=zoe@example.com
person-none           /desk/people  email=nobody@example.com
person-undeliverable  /desk/people  email=bounce@simulator.amazonses.com
files                 /desk/files
sign-in-again         /desk/enquiries/{zoe}/erase
",
        )
        .await?;
    album.house.sign_in("").await?;
    album
        .play(
            "
+ravi             name=Ravi+Shah&email=ravi@example.com
+shah             name=Ravi+Shah&email=ravi@example.com&message=Me+again.
person-cool-down  /desk/people  email=ravi@example.com
erase-one         /desk/enquiries/{ravi}/erase
",
        )
        .await?;
    // Emails of theirs are on their way.
    for (name, page) in [("ravi", "erase-leaving-one"), ("shah", "erase-leaving")] {
        let sending = [
            ("state", text("sending")),
            ("attempt", number("1")),
            ("until", text("2100-01-01T00:00:00Z")),
        ];
        let sending = sending.map(|(name, value)| (name.to_owned(), value));
        let key = format!("state#{}", album.reference(name));
        album
            .house
            .set(
                &key,
                "deliveries.therapist",
                AttributeValue::M(sending.into()),
            )
            .await?;
        album
            .play(&format!("{page} /desk/people/erase email=ravi@example.com"))
            .await?;
    }
    album
        .play(
            "
erase          /desk/people/erase      email=zoe@example.com
erase-done     /desk/people/erase-now  email=zoe@example.com
erase-none     /desk/people/erase      email=nobody@example.com
-              /desk/enquiries/{spam}/erase  .
people-erased  /desk/people
",
        )
        .await
}

async fn practice_pages(album: &mut Album) -> Result<(), String> {
    album
        .play(
            "
practice               /desk/practice
practice-away          /desk/practice/away
practice-hours         /desk/practice/hours
practice-treatments    /desk/practice/treatments
practice-questions     /desk/practice/questions
practice-emails        /desk/practice/emails
practice-explanations  /desk/practice/explanations
practice-contact       /desk/practice/contact
practice-consent       /desk/practice/consent
practice-unwanted      /desk/practice/unwanted
practice-privacy       /desk/practice/privacy
practice-preview       /desk/practice/privacy         seen=0&privacy.retention_days=300
practice-saved         /desk/practice/privacy/save    seen=0&privacy.retention_days=300&privacy.keep_health_out_of_email=yes
practice-conflict      /desk/practice/privacy/save    seen=0&privacy.retention_days=200
practice-conflict-2    /desk/practice/questions/save  seen=0&form.leave_out:goal=yes
practice-back          /desk/practice?done=back
practice-changed       /desk/practice?done=changed
practice-gone          /desk/practice?done=gone
",
        )
        .await?;
    for (nth, (section, form)) in WRONG.iter().enumerate() {
        let form = form.replace("{long}", &"long+".repeat(500));
        let step = format!("practice-wrong-{} /desk/practice/{section} {form}", nth + 1);
        album.play(&step).await?;
    }
    album
        .play(
            "
-                   /desk/practice/away/save  seen=1&reply.away_until=2026-12-10
practice-when-away  /desk/practice
",
        )
        .await?;
    // The session ends while something is typed.
    let command = json!({ "command": "sign-out-everywhere" });
    album.house.command(command).await?;
    album
        .play("sign-in-kept /desk/practice/privacy/save seen=2&privacy.retention_days=300")
        .await?;
    for (name, path, form) in [
        (
            "practice-resumed",
            "/desk/practice/privacy/save",
            "seen=2&privacy.retention_days=300",
        ),
        (
            "resume-note",
            "/desk/enquiries/BB-7KQ4M/note",
            "note=Rang.&seen=0",
        ),
        ("resume-search", "/desk/enquiries/search", "search=Sam"),
        ("resume-person", "/desk/people", "email=zoe@example.com"),
    ] {
        let form = form.replace('&', "%26").replace('=', "%3D");
        let resumed = album
            .house
            .sign_in(&format!("&path={path}&form={form}"))
            .await?;
        album.keep(name, resumed)?;
    }
    // Spoilt by hand, and then saved by a newer version.
    let spoilt = text(r#"{"practice":{}}"#);
    album.house.set("practice#current", "words", spoilt).await?;
    album.play("practice-spoilt /desk/practice").await?;
    album
        .house
        .set("practice#current", "v", number("99"))
        .await?;
    album.play("practice-newer /desk/practice").await
}

fn advised(kind: &str) -> Recommendation {
    Recommendation {
        kind: kind.to_owned(),
        impact: "HIGH".to_owned(),
        description: "An address that sends for you is on a list.".to_owned(),
    }
}

/// What can be wrong with an account at the same time.
type Change = fn(&mut Account);

const ACCOUNTS: [(&str, Change); 9] = [
    ("health-well", |_| {}),
    ("health-new-account", |it| {
        it.sandbox = true;
        it.max_24_hour_send = Some(0);
        it.identities.clear();
        it.subscriptions.clear();
        it.table.expiry = false;
        it.table.recovery = false;
        it.table.deletion = false;
        it.table.stream = false;
    }),
    ("health-probation", |it| {
        it.probation = true;
        it.paused = true;
        it.identities = ["desk@example.com".to_owned()].into();
        it.dkim = "PENDING".to_owned();
        for subscription in &mut it.subscriptions {
            subscription.confirmed = false;
        }
    }),
    ("health-shut-down", |it| {
        it.suspended = true;
        it.dkim = "FAILED".to_owned();
        for subscription in &mut it.subscriptions {
            subscription.endpoint = "therapist@example.com".to_owned();
        }
    }),
    ("health-advice", |it| {
        it.mail_from = Some(MailFrom {
            domain: "mail.example.com".to_owned(),
            status: "FAILED".to_owned(),
        });
        let kinds = ["DMARC", "SPF", "DKIM", "COMPLAINT", "BOUNCE", "IP_LISTING"];
        it.recommendations = Some(kinds.map(advised).into());
    }),
    ("health-sets", |it| {
        it.sandbox = true;
        it.unverified = true;
        it.paused_sets = ["enquiry-desk".to_owned()].into();
        it.silent_sets = ["enquiry-desk".to_owned()].into();
        it.unsuppressed_sets.clear();
    }),
    ("health-set-gone", |it| {
        it.configuration_sets.remove("enquiry-desk");
    }),
    ("health-logo", |it| {
        it.recommendations = Some(vec![advised("BIMI")]);
    }),
    ("health-not-allowed", |it| it.allowed = false),
];

async fn health(album: &mut Album) -> Result<(), String> {
    let well = album.house.ses().account(|account| account.clone());
    for (name, change) in ACCOUNTS {
        album.house.ses().account(change);
        album.play(&format!("{name} /desk/health .")).await?;
        album.house.ses().account(|account| *account = well.clone());
    }
    // The nightly test, as the table keeps it.
    let (now, mut last) = (album.house.now(), None);
    for (name, hours, is_over, failed) in [
        ("ok", 6, true, None),
        ("under-way", 0, false, None),
        ("stopped", 72, false, None),
        ("door", 6, false, Some(Step::Door)),
        ("table", 6, false, Some(Step::Table)),
        ("stream", 6, false, Some(Step::Stream)),
        ("ses", 6, false, Some(Step::Ses)),
        ("report", 6, false, Some(Step::Report)),
    ] {
        let test = NightlyTest {
            reference: Reference::parse("BB-7KQ4M").map_err(|_| "no reference")?,
            nonce: name.to_owned(),
            started_at: now - SignedDuration::from_hours(hours),
            trouble: None,
            stored_at: None,
            streamed_at: None,
            sent_at: None,
            reported_at: is_over.then_some(now),
            failed,
        };
        let started = album.house.app().store.start_nightly(&test, last.as_ref());
        started.await.map_err(|error| error.to_string())?;
        album
            .play(&format!("nightly-{name} /desk/health ."))
            .await?;
        last = Some(test);
    }
    Ok(())
}

async fn accidents(album: &mut Album, practice: &Practice) -> Result<(), String> {
    let (own, large) = (album.house.url().to_owned(), "a".repeat(200_000));
    album
        .play("not-found /desk/nothing\nnot-taken /desk/people/unblock")
        .await?;
    for (name, origin, media_type, body) in [
        ("foreign", "https://elsewhere.example", FORM, ""),
        ("unreadable", own.as_str(), "application/json", "{}"),
        ("too-long", own.as_str(), FORM, large.as_str()),
    ] {
        let answer = album
            .house
            .post_from(origin, "/desk/people", media_type, body)
            .await?;
        album.keep(name, answer)?;
    }
    let mine = album.house.link("/mine/")?;
    for (name, way) in [("unavailable", "/desk"), ("mine-unavailable", &mine)] {
        let answer = album.house.without_table(practice, way).await?;
        album.keep(name, answer)?;
    }
    album
        .play("signed-out-everywhere /desk/browsers/sign-out-everywhere .")
        .await?;
    let command = json!({ "command": "close-desk" });
    album.house.command(command).await?;
    album.play("closed /desk").await
}

/// A desk that holds no practice yet.
async fn new(album: &mut Album) -> Result<(), String> {
    album.house.sign_in("").await?;
    album
        .play(
            "
setup-closed      /
setup-waiting     /desk
setup             /desk/practice
setup-contact     /desk/practice/contact?setup=yes
setup-hours       /desk/practice/hours?setup=yes
setup-treatments  /desk/practice/treatments?setup=yes
setup-emails      /desk/practice/emails?setup=yes
-                 /desk/practice/contact/save  seen=0&practice.name=Quiet+Hands&practice.trade=massage+therapist&practice.address=1+Example+Street&practice.phone=01632+960123&practice.reference_prefix=QH&practice.time_zone=Europe/London
setup-done        /desk/practice?done=setup
setup-open        /desk/practice/hours?setup=yes
",
        )
        .await?;
    album.section("The desk: setting up a practice");
    Ok(())
}

/// A desk at the end of the holidays that were entered.
async fn later(album: &mut Album) -> Result<(), String> {
    album.house.sign_in("").await?;
    let soon = "waiting-holidays-end /desk\nhealth-provider /desk/health .";
    album.play(soon).await?;
    for _ in 0..4 {
        album.house.jump(Jump::Day).await?;
    }
    let over = "waiting-holidays-over /desk\nhealth-holidays /desk/health .";
    album.play(over).await?;
    album.section("The desk: holidays");
    Ok(())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: &str) -> AttributeValue {
    AttributeValue::N(value.to_owned())
}
