//! The traits by which a mapping reaches functions and destinations, and functions that are
//! closures of this process.

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

/// A future in a box.
pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An invocation of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function, with its qualifier.
    pub function: FunctionArn,
    /// The id of the batch: the same for its retries.
    pub request_id: String,
    /// `X-Amzn-Trace-Id`.
    pub trace_id: String,
    /// The mapping's UUID.
    pub mapping: String,
    /// From 1 on.
    pub attempt: u32,
    /// The event, as JSON.
    pub event: Bytes,
}

/// A function that can be invoked.
pub trait Invoke: Send + Sync + fmt::Debug {
    /// Waits until an address of the function is free, first come first served. The address is
    /// held until the call is dropped.
    fn acquire(&self) -> Pending<Box<dyn Call>>;

    /// The ARN of the role that the function runs with, if one is configured.
    fn role(&self) -> Option<&str> {
        None
    }

    /// The function's addresses, for people.
    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One invocation to come, with the address that it goes to.
pub trait Call: Send {
    /// Invokes the function. The answer comes within the function's time limit, in real time.
    fn invoke(self: Box<Self>, invocation: Invocation) -> Pending<Answer>;
}

/// The functions that there are.
pub trait Functions: Send + Sync + fmt::Debug {
    /// The function called `name`, at this qualifier.
    fn find(&self, name: &str, qualifier: Option<&str>) -> Option<Arc<dyn Invoke>>;
}

/// A record for an on-failure destination.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The destination.
    pub destination: Destination,
    /// The mapping's UUID.
    pub mapping: String,
    /// The record.
    pub record: FailureRecord,
    /// The event, for destinations that take it.
    pub payload: Option<String>,
    /// A random UUID for the name of an object.
    pub random: String,
}

/// The reason for which a record did not reach its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliverError {
    /// No connection: it is worth another try.
    NotConnected(String),
    /// The destination refused, or gave no answer in time.
    Refused(String),
    /// No endpoint is configured for destinations of this kind.
    NoEndpoint,
}

/// Delivers records to destinations outside of this process.
pub trait Deliver: Send + Sync + fmt::Debug {
    /// True when there is an endpoint for destinations of this kind.
    fn has_endpoint(&self, destination: &Destination) -> bool;

    /// Delivers one record, within ten seconds of real time.
    fn deliver(&self, delivery: Delivery) -> Pending<Result<(), DeliverError>>;
}

/// Everything outside of this process that mappings reach.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// The functions.
    pub functions: Arc<dyn Functions>,
    /// The destinations.
    pub deliver: Arc<dyn Deliver>,
}

impl Default for Outbound {
    /// No functions and no endpoints.
    fn default() -> Self {
        Self {
            functions: Arc::new(BTreeMap::<String, Function>::new()),
            deliver: Arc::new(NoEndpoints),
        }
    }
}

/// No destination has an endpoint.
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

/// The argument of a [`Function`].
#[derive(Debug, Clone)]
pub struct FunctionEvent {
    /// The event as JSON.
    pub body: Bytes,
    /// The id of the batch: the same for its retries.
    pub request_id: String,
    /// The UUID of the mapping.
    pub mapping: String,
    /// From 1 on.
    pub attempt: u32,
}

impl FunctionEvent {
    /// The event.
    ///
    /// # Panics
    /// Never: the event is JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("an event is JSON")
    }
}

/// The reason for which a [`Function`] gives no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionError {
    /// The function failed: the batch is retried, and discarded when its retries are spent.
    Failed(String),
    /// The function was not reached: no retry is spent. The wait is at least so many seconds.
    NotReached {
        /// `Retry-After`.
        retry_after_s: Option<u64>,
    },
}

type Body = dyn Fn(FunctionEvent) -> Pending<Result<String, FunctionError>> + Send + Sync;

/// A function that is a closure of this process: a test needs no socket and no server for it.
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
    /// The function that `body` is. Its answer is the body of the response, such as a report of
    /// failed items.
    pub fn new<F, R>(body: F) -> Self
    where
        F: Fn(FunctionEvent) -> R + Send + Sync + 'static,
        R: Future<Output = Result<String, FunctionError>> + Send + 'static,
    {
        Self(Arc::new(move |event| Box::pin(body(event))))
    }

    /// The answer of the body. A body that panics, as an assertion in a test does, has failed.
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
