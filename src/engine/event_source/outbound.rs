//! The traits through which a mapping invokes functions and delivers failure records. Also contains
//! [`Function`], a function that is a closure in this process.

use crate::engine::tasks::caught;
use crate::model::event_source::{
    Answer, Destination, ErrorSource, FailureRecord, FunctionArn, Response,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

/// A boxed future, which the methods of the traits for functions and destinations return.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The parameters of one invocation of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function to invoke, with its qualifier.
    pub function: FunctionArn,
    /// Id of the batch. All invocations with one batch have the same id.
    pub request_id: String,
    /// Value of the header `X-Amzn-Trace-Id`.
    pub trace_id: String,
    /// UUID of the mapping that invokes the function.
    pub mapping: String,
    /// Number of the invocation with this batch. The first invocation has the number 1.
    pub attempt: u32,
    /// The event, as JSON.
    pub event: Bytes,
}

/// A function that a mapping can invoke.
pub trait Invoke: Send + Sync + fmt::Debug {
    /// Waits until an address of the function is free, and reserves this address until the returned
    /// [`Call`] is dropped. Callers get addresses in the order of their calls.
    fn acquire(&self) -> Pending<Box<dyn Call>>;

    /// Returns the ARN of the function's execution role. None if no role is configured.
    fn role(&self) -> Option<&str> {
        None
    }

    /// The addresses of the function. The paths under `/_minikin/` show them.
    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A reserved address of a function, for one invocation.
pub trait Call: Send {
    /// Invokes the function, and resolves to its answer. Resolves at the latest at the end of the
    /// function's time limit, which is in real time.
    fn invoke(self: Box<Self>, invocation: Invocation) -> Pending<Answer>;
}

/// The functions that mappings can invoke, by name.
pub trait Functions: Send + Sync + fmt::Debug {
    /// Finds the function called `name` with this qualifier.
    fn find(&self, name: &str, qualifier: Option<&str>) -> Option<Arc<dyn Invoke>>;
}

/// A failure record to deliver, with its destination and the event of the discarded batch.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The destination that receives the record.
    pub destination: Destination,
    /// UUID of the mapping that discarded the batch.
    pub mapping: String,
    /// The failure record, which describes the discarded batch and the reason why the batch was
    /// discarded.
    pub record: FailureRecord,
    /// The event of the discarded batch. None if the destination receives only the failure record.
    pub payload: Option<String>,
    /// A random UUID, which is a part of the key of an S3 object.
    pub random: String,
}

/// Reason why a failure record did not reach its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliverError {
    /// The connection failed before the request was sent. A repeated delivery therefore cannot
    /// deliver the record twice. Holds the reason as a text.
    NotConnected(String),
    /// The destination refused the record, or did not answer in time. Holds the reason as a text.
    Refused(String),
    /// No endpoint is configured for destinations of this kind.
    NoEndpoint,
}

/// Delivers failure records to their destinations.
pub trait Deliver: Send + Sync + fmt::Debug {
    /// True if an endpoint is configured for destinations of the same kind as `destination`.
    fn has_endpoint(&self, destination: &Destination) -> bool;

    /// Delivers one failure record. If no connection can be made, the implementation may try again.
    /// Each attempt may take ten seconds of real time.
    fn deliver(&self, delivery: Delivery) -> Pending<Result<(), DeliverError>>;
}

/// The clients with which mappings reach functions and destinations.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// The functions that mappings can invoke.
    pub functions: Arc<dyn Functions>,
    /// The client that delivers failure records.
    pub deliver: Arc<dyn Deliver>,
}

impl Default for Outbound {
    /// Clients without functions, and without an endpoint for any destination.
    fn default() -> Self {
        Self {
            functions: Arc::new(BTreeMap::<String, Function>::new()),
            deliver: Arc::new(NoEndpoints),
        }
    }
}

/// The client of an emulator without endpoints. The client refuses every failure record.
#[derive(Debug)]
struct NoEndpoints;

impl Deliver for NoEndpoints {
    fn has_endpoint(&self, _destination: &Destination) -> bool {
        false
    }

    fn deliver(&self, _delivery: Delivery) -> Pending<Result<(), DeliverError>> {
        Box::pin(std::future::ready(Err(DeliverError::NoEndpoint)))
    }
}

/// The argument of a [`Function`]: the event, and the properties of the invocation.
#[derive(Debug, Clone)]
pub struct FunctionEvent {
    /// The event, as JSON.
    pub body: Bytes,
    /// Id of the batch. All invocations with one batch have the same id.
    pub request_id: String,
    /// UUID of the mapping that invokes the function.
    pub mapping: String,
    /// Number of the invocation with this batch. The first invocation has the number 1.
    pub attempt: u32,
}

impl FunctionEvent {
    /// Parses the JSON of the event.
    ///
    /// # Panics
    /// Never: the emulator writes every event as valid JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("an event is JSON")
    }
}

/// Reason why a [`Function`] returns no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionError {
    /// The function failed with this message. The mapping retries the batch, and discards it when
    /// its retries are exhausted.
    Failed(String),
    /// The function counts as not reached. The mapping invokes the function again with the same
    /// batch. This invocation does not count as one of the batch's retries.
    NotReached {
        /// The shortest time before the next invocation, in seconds, as in the header
        /// `Retry-After`. None if the function demands no such time.
        retry_after_s: Option<u64>,
    },
}

type Body = dyn Fn(FunctionEvent) -> Pending<Result<String, FunctionError>> + Send + Sync;

/// A function that is a closure in this process, so that a test needs no HTTP server.
///
/// ```
/// use minikin::Function;
///
/// let echo = Function::new(|event| async move {
///     assert!(event.json()["Records"].is_array());
///     Ok(String::new())
/// });
/// ```
#[derive(Clone)]
pub struct Function(Arc<Body>);

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").finish_non_exhaustive()
    }
}

impl Function {
    /// Makes a function from a closure. The string that the closure returns is the body of the
    /// function's response, for example a report of failed items.
    pub fn new<F, R>(body: F) -> Self
    where
        F: Fn(FunctionEvent) -> R + Send + Sync + 'static,
        R: Future<Output = Result<String, FunctionError>> + Send + 'static,
    {
        Self(Arc::new(move |event| Box::pin(body(event))))
    }

    /// Calls the closure. A panic of the closure, such as a failed assertion in a test, counts as a
    /// failure of the function.
    async fn answer(&self, event: FunctionEvent) -> Result<String, FunctionError> {
        let failed = |panic| FunctionError::Failed(format!("the function panicked: {panic}"));
        let mut answering = caught(|| (self.0)(event)).map_err(failed)?;
        poll_fn(|context| {
            let polled = caught(|| answering.as_mut().poll(context));
            polled.unwrap_or_else(|panic| Poll::Ready(Err(failed(panic))))
        })
        .await
    }
}

impl Invoke for Function {
    fn acquire(&self) -> Pending<Box<dyn Call>> {
        let call: Box<dyn Call> = Box::new(self.clone());
        Box::pin(std::future::ready(call))
    }
}

impl Call for Function {
    fn invoke(self: Box<Self>, invocation: Invocation) -> Pending<Answer> {
        let event = FunctionEvent {
            body: invocation.event,
            request_id: invocation.request_id,
            mapping: invocation.mapping,
            attempt: invocation.attempt,
        };
        Box::pin(async move {
            let mut response = Response {
                status: 200,
                is_lambda_error: false,
                function_error: None,
                executed_version: None,
                retry_after_s: None,
                body: Bytes::new(),
                from_emulator: false,
                errors: ErrorSource::Header,
            };
            match self.answer(event).await {
                Ok(body) => response.body = body.into(),
                Err(FunctionError::Failed(message)) => {
                    response.function_error = Some("Unhandled".to_owned());
                    response.body = message.into();
                }
                Err(FunctionError::NotReached { retry_after_s }) => {
                    response.status = 429;
                    response.retry_after_s = retry_after_s;
                }
            }
            Answer::Response(response)
        })
    }
}

impl Functions for BTreeMap<String, Function> {
    fn find(&self, name: &str, _qualifier: Option<&str>) -> Option<Arc<dyn Invoke>> {
        let function = self.get(name).or_else(|| self.get("*"))?;
        Some(Arc::new(function.clone()))
    }
}
