//! The function as everything around it sees it: an event in Lambda's JSON goes in, an answer in Lambda's JSON comes out.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws::{self, lock};

/// How long an invocation may take: HTTP APIs wait for hardly longer.
const TIMEOUT: Duration = Duration::from_secs(29);

type Answer = Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// A handle to the function. Clones call the same function.
#[derive(Clone)]
pub struct Function {
    handler: Arc<dyn Fn(Value) -> Answer + Send + Sync>,
    failures: Arc<Mutex<Vec<Value>>>,
}

/// An asynchronous invocation that failed is repeated twice ("Error handling for a Lambda event source", asynchronous invocation).
const ASYNC_ATTEMPTS: u32 = 3;

impl Function {
    /// Wraps a handler: the payload comes in Lambda's event shape, the answer is in Lambda's response shape, and `Err` is
    /// a function error.
    pub fn new<H, F>(handler: H) -> Self
    where
        H: Fn(Value) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Value, String>> + Send + 'static,
    {
        Self {
            handler: Arc::new(move |event| Box::pin(handler(event))),
            failures: Arc::default(),
        }
    }

    /// Invokes the function as SNS and the timer do: no one waits for the answer, an error is followed by two more tries, so far
    /// apart, and what fails for good goes to the failure destination.
    pub async fn call_async(&self, event: Value, apart: Duration) {
        let mut error = String::new();
        for attempt in 1..=ASYNC_ATTEMPTS {
            error = match self.call(event.clone()).await {
                Ok(_) => return,
                Err(error) => error,
            };
            tracing::warn!(error, attempt, "the function failed on an event");
            if attempt < ASYNC_ATTEMPTS {
                tokio::time::sleep(apart).await;
            }
        }
        // As in "Capturing records of Lambda asynchronous invocations", Lambda developer guide.
        let record = json!({
            "version": "1.0",
            "timestamp": format!("{:.3}", Timestamp::now()),
            "requestContext": {
                "requestId": aws::uuid(),
                "functionArn": aws::FUNCTION_ARN,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": ASYNC_ATTEMPTS,
            },
            "requestPayload": event,
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "responsePayload": { "errorType": "Unhandled", "errorMessage": error },
        });
        lock(&self.failures).push(record);
    }

    /// The failure destination of asynchronous invocations, oldest first.
    pub fn failures(&self) -> Vec<Value> {
        lock(&self.failures).clone()
    }

    /// Invokes the function, as Lambda would: a panic and a timeout are function errors, and an invocation goes on when
    /// its caller has stopped listening.
    ///
    /// # Errors
    /// The function's own error, a panic, or a timeout, in Lambda's words where Lambda has some.
    pub async fn call(&self, event: Value) -> Result<Value, String> {
        let invocation = (self.handler)(event);
        let task = tokio::spawn(async move { tokio::time::timeout(TIMEOUT, invocation).await });
        match task.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(format!(
                "Task timed out after {:.2} seconds",
                TIMEOUT.as_secs_f64()
            )),
            Err(_) => Err("the function panicked".to_owned()),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}
