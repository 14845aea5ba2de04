//! Functions that are invoked over HTTP. The URL of a function leads to Lambda's Invoke API, to
//! Lambda's Runtime Interface Emulator, or to any other server that accepts a POST.

use super::address::{Address, AddressError};
use super::connection::{Connection, RequestBody, SendError, whole};
use super::sign::{SignableBody, Signer, SigningScope};
use crate::engine::event_source::{Call, Function, Functions, Invocation, Invoke, Pending};
use crate::limits;
use crate::lock::Lock;
use crate::model::event_source::{Answer, ErrorSource, Response};
use crate::options::{ErrorMode, FunctionSetting};
use crate::world::{Clock, RealDeadline};
use bytes::Bytes;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The only path on which Lambda's Runtime Interface Emulator accepts invocations.
const EMULATOR_PATH: &str = "/2015-03-31/functions/function/invocations";

/// The functions that the options define, and the functions that are closures in this process.
#[derive(Debug)]
pub(crate) struct HttpFunctions {
    own: BTreeMap<String, Function>,
    /// The functions that the options define, by `NAME` or `NAME:QUALIFIER`. The function `*`
    /// stands for every name that no other function has.
    functions: BTreeMap<String, Arc<HttpFunction>>,
}

impl HttpFunctions {
    /// Makes the functions that `settings` define, and adds the closures in `own`. A closure takes
    /// precedence over a function of the same name.
    ///
    /// # Errors
    /// The URL of a function cannot be used.
    pub(crate) fn new(
        settings: &[FunctionSetting],
        own: BTreeMap<String, Function>,
        clock: &Clock,
    ) -> Result<Self, AddressError> {
        let mut functions = BTreeMap::new();
        let mut permits = Permits::default();
        for setting in settings {
            let function = HttpFunction::new(setting, &mut permits, clock.clone())?;
            functions.insert(setting.name.clone(), Arc::new(function));
        }
        Ok(Self { own, functions })
    }
}

impl Functions for HttpFunctions {
    fn find(&self, name: &str, qualifier: Option<&str>) -> Option<Arc<dyn Invoke>> {
        if let Some(own) = self.own.find(name, qualifier) {
            return Some(own);
        }
        let qualified = qualifier.map(|qualifier| format!("{name}:{qualifier}"));
        let exact = qualified.and_then(|qualified| self.functions.get(&qualified));
        let found = exact
            .or_else(|| self.functions.get(name))
            .or_else(|| self.functions.get("*"))?;
        Some(Arc::new(Endpoint(found.clone())))
    }
}

/// A function that can be invoked at one or more URLs.
#[derive(Debug)]
struct HttpFunction {
    addresses: Vec<Arc<FunctionAddress>>,
    /// Number of calls of the function so far. Each call prefers the address after that of the
    /// previous call, so the calls use the addresses in rotation.
    calls: AtomicUsize,
    timeout: Duration,
    role: Option<String>,
    signer: Option<Signer>,
    clock: Clock,
}

/// The permits for requests, by URL. A server must not get more requests at a time than
/// `concurrency` permits, even if several functions or several addresses of one function name the
/// server. If functions with the same URL have different values of `concurrency`, the largest value
/// applies. The number in an entry is the number of permits of its semaphore.
#[derive(Debug, Default)]
struct Permits(BTreeMap<String, (Arc<Semaphore>, usize)>);

impl Permits {
    fn of(&mut self, key: String, concurrency: usize) -> Arc<Semaphore> {
        let (permits, count) = self.0.entry(key).or_insert_with(|| {
            let none = Semaphore::new(0);
            (Arc::new(none), 0)
        });
        permits.add_permits(concurrency.saturating_sub(*count));
        *count = concurrency.max(*count);
        permits.clone()
    }
}

/// A URL of a function, and the properties of the server that earlier answers from this URL have
/// shown.
#[derive(Debug)]
struct FunctionAddress {
    address: Address,
    /// One permit for each request that may be in progress at the URL.
    permits: Arc<Semaphore>,
    /// The connections that stay open between requests.
    idle: Lock<Vec<Connection>>,
    errors: ErrorMode,
    /// True if an earlier answer has reported a function's error in the header
    /// `X-Amz-Function-Error`.
    shows_header: AtomicBool,
    /// True if earlier answers show that the server is Lambda's Runtime Interface Emulator: the
    /// server has answered 404 on the path with the function's name, and then another status on
    /// `EMULATOR_PATH`. A URL that contains a path is not tested.
    is_emulator: AtomicBool,
}

impl HttpFunction {
    fn new(
        setting: &FunctionSetting,
        permits: &mut Permits,
        clock: Clock,
    ) -> Result<Self, AddressError> {
        let mut addresses: Vec<Arc<FunctionAddress>> = Vec::new();
        for url in &setting.urls {
            let address = Address::read(url, setting.ca.as_deref())?;
            let key = address.key();
            if addresses.iter().any(|known| known.address.key() == key) {
                continue;
            }
            addresses.push(Arc::new(FunctionAddress {
                permits: permits.of(key, setting.concurrency),
                address,
                idle: Lock::default(),
                errors: setting.errors,
                shows_header: AtomicBool::new(false),
                is_emulator: AtomicBool::new(false),
            }));
        }
        Ok(Self {
            addresses,
            calls: AtomicUsize::new(0),
            timeout: setting.timeout,
            role: setting.role.clone(),
            signer: setting.sign.as_ref().and_then(Signer::read),
            clock,
        })
    }

    /// Waits until one of the addresses is free, and returns it with the permit for one request.
    async fn free(&self) -> (Arc<FunctionAddress>, OwnedSemaphorePermit) {
        let first = self.calls.fetch_add(1, Relaxed) % self.addresses.len();
        let (before, after) = self.addresses.split_at(first);
        let mut waits: Vec<_> = after
            .iter()
            .chain(before)
            .map(|address| (address, Box::pin(address.permits.clone().acquire_owned())))
            .collect();
        poll_fn(|context| {
            for (address, wait) in &mut waits {
                if let Poll::Ready(permit) = wait.as_mut().poll(context) {
                    let permit = permit.expect("the semaphore is never closed");
                    return Poll::Ready((Arc::clone(address), permit));
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Lets event source mappings invoke a function that the options define.
#[derive(Debug)]
struct Endpoint(Arc<HttpFunction>);

impl Invoke for Endpoint {
    fn acquire(&self) -> Pending<Box<dyn Call>> {
        let function = self.0.clone();
        Box::pin(async move {
            let (address, permit) = function.free().await;
            let connection = address.idle.lock().pop();
            let call: Box<dyn Call> = Box::new(HttpCall {
                address,
                connection,
                function,
                _permit: permit,
            });
            call
        })
    }

    fn role(&self) -> Option<&str> {
        self.0.role.as_deref()
    }

    fn addresses(&self) -> Vec<String> {
        let addresses = self.0.addresses.iter();
        addresses.map(|known| known.address.url.clone()).collect()
    }
}

/// A call of a function, with a reserved address. Dropping the call returns the connection to the
/// address.
struct HttpCall {
    address: Arc<FunctionAddress>,
    connection: Option<Connection>,
    function: Arc<HttpFunction>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for HttpCall {
    fn drop(&mut self) {
        self.address.idle.lock().extend(self.connection.take());
    }
}

impl Call for HttpCall {
    fn invoke(mut self: Box<Self>, invocation: Invocation) -> Pending<Answer> {
        Box::pin(async move {
            let timeout = self.function.timeout;
            let answering = self.answer(&invocation);
            match RealDeadline::lasting(timeout).with(answering).await {
                Some(answer) => answer,
                None => {
                    // Drop the connection on which no answer has arrived in time. A late answer
                    // would be mistaken for the answer to the next request.
                    self.connection = None;
                    let seconds = timeout.as_secs();
                    Answer::Lost(format!("no answer within {seconds} seconds"))
                }
            }
        })
    }
}

impl HttpCall {
    async fn answer(&mut self, invocation: &Invocation) -> Answer {
        let address = self.address.clone();
        if let Some(path) = &address.address.path {
            let path = path.replace("{name}", &invocation.function.name);
            return self.post(invocation, &path).await;
        }
        let by_name = format!(
            "/2015-03-31/functions/{}/invocations",
            invocation.function.name
        );
        if !address.is_emulator.load(Relaxed) {
            let answer = self.post(invocation, &by_name).await;
            if by_name == EMULATOR_PATH || !is_unknown_path(&answer) {
                return answer;
            }
        }
        let answer = self.post(invocation, EMULATOR_PATH).await;
        if let Some(status) = answer.status() {
            // Another program may listen at the URL by now. If it answers 404, the next invocation
            // tries the path with the function's name again.
            address.is_emulator.store(status != 404, Relaxed);
        }
        answer
    }

    /// Sends the event of an invocation by `try_post`, and returns the answer. An error becomes
    /// `Answer::NotReached`.
    async fn post(&mut self, invocation: &Invocation, path: &str) -> Answer {
        let posted = self.try_post(invocation, path).await;
        posted.unwrap_or_else(Answer::NotReached)
    }

    /// Sends the event of an invocation with POST to `path` at the address, and returns the
    /// answer.
    ///
    /// # Errors
    /// The request did not reach the function. The error is the reason.
    async fn try_post(&mut self, invocation: &Invocation, path: &str) -> Result<Answer, String> {
        let (function, address) = (self.function.clone(), self.address.clone());
        let request = || request(&function, &address.address, invocation, path);
        let is_emulator = path.split('?').next() == Some(EMULATOR_PATH);
        // Use the open connection. If the server has closed this connection and no byte of the
        // request was sent, a new connection is opened below.
        if let Some(mut kept) = self.connection.take().filter(Connection::is_usable) {
            match kept
                .send(request()?, limits::EVENT_SOURCE_ANSWER_BYTES)
                .await
            {
                Err(SendError::NotSent(_)) => {}
                result => return Ok(self.received(result, kept, is_emulator)),
            }
        }
        let opening = Connection::open(&address.address);
        let opened = RealDeadline::lasting(limits::OUTBOUND_CONNECT)
            .with(opening)
            .await;
        let opened = opened.ok_or("no connection in time")?;
        let mut connection = opened.map_err(|error| error.to_string())?;
        let sending = connection.send(request()?, limits::EVENT_SOURCE_ANSWER_BYTES);
        let result = sending.await;
        Ok(self.received(result, connection, is_emulator))
    }

    fn received(
        &mut self,
        result: Result<hyper::Response<Bytes>, SendError>,
        connection: Connection,
        from_emulator: bool,
    ) -> Answer {
        let response = match result {
            Ok(response) => response,
            Err(SendError::NotSent(reason)) => return Answer::NotReached(reason),
            Err(SendError::Lost(reason)) => return Answer::Lost(reason),
            Err(SendError::TooLarge) => {
                return Answer::Lost("the answer is larger than 6 MB".to_owned());
            }
        };
        self.connection = Some(connection);
        let headers = response.headers();
        let function_error = text(headers, "x-amz-function-error");
        if function_error.is_some() {
            self.address.shows_header.store(true, Relaxed);
        }
        let is_sam_local = self.is_sam_local(headers);
        let shows_header = self.address.shows_header.load(Relaxed) && !is_sam_local;
        let errors = match self.address.errors {
            ErrorMode::Header => ErrorSource::Header,
            ErrorMode::Body => ErrorSource::Body,
            ErrorMode::Auto if shows_header => ErrorSource::Header,
            ErrorMode::Auto => ErrorSource::Body,
        };
        Answer::Response(Response {
            status: response.status().as_u16(),
            is_lambda_error: headers.contains_key("x-amzn-errortype"),
            function_error,
            executed_version: text(headers, "x-amz-executed-version"),
            retry_after_s: text(headers, RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()),
            body: response.into_body(),
            from_emulator: from_emulator || is_sam_local,
            errors,
        })
    }

    /// True for an answer of `sam local start-lambda`, which forwards the answers of Lambda's
    /// Runtime Interface Emulator in a container. Such an answer is recognized by a `Server` header
    /// of Werkzeug and by the missing header `X-Amz-Executed-Version`.
    ///
    /// Such an answer can hide an error. If the container has ended or the function took too long,
    /// the answer is empty, has status 200 and lacks the header `X-Amz-Function-Error`.
    fn is_sam_local(&self, headers: &HeaderMap) -> bool {
        let server = text(headers, "server");
        self.address.address.path.is_none()
            && server.is_some_and(|server| server.starts_with("Werkzeug/"))
            && !headers.contains_key("x-amz-executed-version")
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// True for an answer with status 404 that reports an unknown path. An error of Lambda's API with
/// status 404 reports an unknown function instead.
fn is_unknown_path(answer: &Answer) -> bool {
    let Answer::Response(response) = answer else {
        return false;
    };
    let body = serde_json::from_slice::<serde_json::Value>(&response.body).ok();
    let has_type = body.is_some_and(|body| body.get("Type").is_some());
    response.status == 404 && !response.is_lambda_error && !has_type
}

fn request(
    function: &HttpFunction,
    address: &Address,
    invocation: &Invocation,
    path: &str,
) -> Result<Request<RequestBody>, String> {
    let mut path = path.to_owned();
    if let Some(qualifier) = &invocation.function.qualifier {
        let mark = if path.contains('?') { '&' } else { '?' };
        let encoded: String = form_urlencoded::byte_serialize(qualifier.as_bytes()).collect();
        path.push_str(&format!("{mark}Qualifier={encoded}"));
    }
    let attempt = invocation.attempt.to_string();
    let headers = [
        ("x-amz-invocation-type", "RequestResponse"),
        ("x-amz-log-type", "None"),
        ("x-amzn-requestid", &invocation.request_id),
        ("x-amzn-trace-id", &invocation.trace_id),
        ("x-minikin-mapping", &invocation.mapping),
        ("x-minikin-attempt", &attempt),
    ];
    let mut request = Request::post(&path)
        .header(HOST, &address.authority)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let body = invocation.event.clone();
    let mut request = request
        .body(whole(body.clone()))
        .map_err(|error| error.to_string())?;
    if let Some(signer) = &function.signer {
        let scheme = if address.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let url = format!("{scheme}://{}{path}", address.authority);
        let scope = SigningScope {
            service: "lambda",
            region: invocation.function.scope.region.as_str(),
            now_ms: function.clock.wall_time().millis(),
        };
        signer.sign(&mut request, (&url, SignableBody::Bytes(&body)), scope)?;
    }
    Ok(request)
}
