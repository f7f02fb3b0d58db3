//! The application: builds its parts once for a practice, and sends each event to one entry point. Nothing else names it.

mod event;
mod rehearsal;
mod runtime;

use std::sync::Arc;

use futures_util::FutureExt;
use lambda_runtime::Error;
use serde_json::Value;

use crate::aws::Clients;
use crate::check::Check;
use crate::clock::Clock;
use crate::commands::Commands;
use crate::delivery::Delivery;
use crate::desk::Desk;
use crate::link::Links;
use crate::nightly::Nightly;
use crate::practice::Practice;
use crate::reminders::Reminders;
use crate::ses::Ses;
use crate::settings::Settings;
use crate::sign_in::SignIn;
use crate::store::Store;
use crate::submission::Submission;
use crate::web::{Copied, Web, WebService};
use crate::withdrawal::Withdrawal;
use crate::{feedback, stream};

pub use event::{Event, UnknownEvent};
pub use runtime::Runtime;

/// The parts, over one practice and one secret: built anew when either changes.
pub struct App {
    /// The public pages and the endpoint.
    pub web: WebService,
    /// The emails.
    pub delivery: Arc<Delivery>,
    /// What the therapist does: the pages and the commands share it.
    pub desk: Arc<Desk>,
    /// The operator's commands.
    pub commands: Commands,
    /// The table.
    pub store: Store,
}

impl App {
    /// Builds the application over these settings, this practice and these clients.
    #[must_use]
    pub fn new(settings: Settings, practice: Arc<Practice>, clients: Clients) -> Arc<Self> {
        let Settings {
            web: web_settings,
            store: store_settings,
            email,
            keys,
            beginning: _,
        } = settings;
        let store = Store::new(clients.dynamodb, &store_settings, keys.clone());
        let ses = Ses::new(clients.ses, &email);
        let sign_in = Arc::new(SignIn::new(
            store.clone(),
            ses.clone(),
            Arc::clone(&practice),
            email.therapist.clone(),
            keys.clone(),
        ));
        let reminders = Reminders::new(store.clone(), Arc::clone(&practice));
        let nightly = Arc::new(Nightly::new(
            store.clone(),
            Arc::clone(&practice),
            keys.as_ref(),
            web_settings.public_url.clone(),
            clients.door,
        ));
        let check = Arc::new(Check::new(
            store.clone(),
            ses.clone(),
            Arc::clone(&practice),
            email.therapist.clone(),
            clients.alarm_topic,
        ));
        let links = Links::new(
            web_settings.public_url.as_deref(),
            keys.as_ref(),
            &email.therapist,
        );
        let delivery = Delivery::new(
            store.clone(),
            ses,
            Arc::clone(&practice),
            email,
            links.clone(),
        );
        let delivery = Arc::new(delivery);
        let submission = Submission::new(
            store.clone(),
            Arc::clone(&delivery),
            Arc::clone(&practice),
            keys,
            web_settings.clone(),
        );
        let withdrawal = Withdrawal::new(store.clone());
        let desk = Desk::new(store.clone(), Arc::clone(&delivery), Arc::clone(&practice));
        let desk = Arc::new(desk);
        let web = Web {
            submission,
            withdrawal,
            links,
            sign_in: Arc::clone(&sign_in),
            desk: Arc::clone(&desk),
            check: Arc::clone(&check),
            nightly: Arc::clone(&nightly),
            practice: Arc::clone(&practice),
            settings: web_settings,
        };
        Arc::new(Self {
            web: WebService::new(web),
            commands: Commands::new(
                Arc::clone(&desk),
                Arc::clone(&delivery),
                sign_in,
                reminders,
                check,
                nightly,
                practice,
            ),
            desk,
            delivery,
            store,
        })
    }

    /// Answers an event over a practice that was read for it.
    async fn work(&self, event: Event, clock: &Clock) -> Result<Value, Error> {
        // Boxed, since the SDK's futures are large and deeply nested.
        match event {
            Event::Http(request) => {
                let answered = self.web.handle(&request, Copied::Now, clock).boxed();
                Ok(answered.await?.unwrap_or_default())
            }
            Event::Stream(records) => {
                let handled = stream::handle(&self.delivery, records, clock).boxed();
                Ok(handled.await)
            }
            Event::Feedback(messages) => {
                let handled = feedback::handle(&self.delivery, &messages, clock).boxed();
                Ok(handled.await?)
            }
            Event::Command(command) => self.commands.handle(&command, clock).boxed().await,
        }
    }
}
