//! An HTTP server for tests. It answers by script and notes the requests.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use minikin::internals::lock::Lock;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A request that the server has received.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The answer of the server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: String,
    /// True if the answer waits until the test releases all held answers.
    pub(crate) held: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        Self {
            status,
            body: body.to_owned(),
            ..Self::default()
        }
    }
}

type Rule = dyn Fn(&Got, usize) -> Reply + Send + Sync;

/// The server. It ends with the runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    got: Arc<Lock<Vec<Got>>>,
    running: Arc<Lock<(usize, usize)>>,
    released: watch::Sender<bool>,
    rule: Arc<Rule>,
}

impl Server {
    /// Listens on a free port of this machine.
    pub(crate) async fn start(rule: impl Fn(&Got, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::over(TcpListener::bind("127.0.0.1:0").await.unwrap(), rule)
    }

    /// Answers the connections to `listener`.
    pub(crate) fn over(
        listener: TcpListener,
        rule: impl Fn(&Got, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = Self {
            address: listener.local_addr().unwrap(),
            got: Arc::default(),
            running: Arc::default(),
            released: watch::Sender::new(false),
            rule: Arc::new(rule),
        };
        server.serve(listener);
        server
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the test's server ends with its runtime"
    )]
    fn serve(&self, listener: TcpListener) {
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                let service = service_fn(move |request| server.clone().answer(request));
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let headers = head.headers.iter();
        let got = Got {
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        let number = {
            let mut all = self.got.lock();
            all.push(got.clone());
            all.len()
        };
        {
            let mut running = self.running.lock();
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        let reply = (self.rule)(&got, number);
        if reply.held {
            let mut released = self.released.subscribe();
            let _released = released.wait_for(|released| *released).await;
        } else {
            tokio::task::yield_now().await;
        }
        self.running.lock().0 -= 1;
        let mut response = Response::new(Full::new(reply.body.into()));
        *response.status_mut() = reply.status.try_into().unwrap();
        for (name, value) in reply.headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        Ok(response)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.got().into_iter().map(|got| got.path).collect()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.running.lock().1
    }

    pub(crate) fn running(&self) -> usize {
        self.running.lock().0
    }

    pub(crate) fn release(&self) {
        self.released.send_replace(true);
    }
}
