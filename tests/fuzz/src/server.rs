//! A whole server without a connection: requests go in as values, answers come out as values.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response};
use minikin::Body;
use minikin::KeyState;
use minikin::Profile;
use minikin::internals::engine::channel::{
    ChannelBehaviour, DestinationError, Destinations, ObjectHead, ObjectWriter,
};
use minikin::internals::engine::event_source::Pending;
use minikin::internals::engine::{Behaviour, Engine};
use minikin::internals::http::metrics::Metrics;
use minikin::internals::http::{AccessSettings, Client, Server};
use minikin::internals::limits::Limits;
use minikin::internals::model::channel::ChannelSettings;
use minikin::internals::model::{AccountId, AccountRegion, Region};
use minikin::internals::options::Credential;
use minikin::internals::store::{Recovered, Settings, Store};
use minikin::internals::world::Random;
use minikin::internals::world::World;
use minikin::{AllowedOrigin, Authentication};
use minikin::{Clock, Timestamp, VirtualClock};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The start of every server's time: 2023-11-14T22:13:20Z.
const START_MS: i64 = 1_700_000_000_000;
/// Frames read of a subscription.
const FRAMES: usize = 6;
/// The longest time that a receive can wait for a record.
const LONGEST_WAIT_MS: i64 = 20_000;
/// Number of times that a subscription is asked for a frame that is not there.
const ASKS: usize = 20;

/// A server, its state, and the one thread that runs it. Two servers answer the same requests in
/// the same way: their time is virtual and their randomness seeded.
pub struct Bed {
    runtime: Runtime,
    server: Arc<Server>,
    clock: Arc<VirtualClock>,
    _stop: watch::Sender<bool>,
}

/// The answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<String>,
    /// The body, or the frames of a subscription.
    pub parts: Vec<Bytes>,
}

impl Bed {
    /// A server that lets these in.
    pub fn new(authentication: Authentication, credentials: Vec<Credential>) -> Self {
        let begun = Self::begin(authentication, credentials, None);
        begun.expect("a server with nothing starts")
    }

    /// A server that starts from a catalog. None if the catalog is refused.
    pub fn restored(kept: &Recovered) -> Option<Self> {
        Self::begin(Authentication::Structure, Vec::new(), Some(kept))
    }

    fn begin(
        authentication: Authentication,
        credentials: Vec<Credential>,
        kept: Option<&Recovered>,
    ) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let (stop, stopped) = watch::channel(false);
        let clock = VirtualClock::starting_at(Timestamp::from_millis(START_MS));
        let world = World::new(Clock::Virtual(clock.clone()), Random::seeded(1));
        let engine = runtime.block_on(async {
            let (store, recovered) = Store::open(Settings::default())
                .unwrap()
                .on_thread()
                .unwrap();
            let kept = kept.unwrap_or(&recovered);
            Engine::start(world, limits(), behaviour(), store, kept, stopped).ok()
        })?;
        let own = axum::Router::new();
        let access = AccessSettings {
            allowed_origins: vec![AllowedOrigin::Any],
            authentication,
            credentials,
            identities: None,
            default_scope: AccountRegion {
                account: AccountId::parse("000000000000").unwrap(),
                region: Region::new("us-east-1"),
            },
        };
        let server = Server::new(engine, access, own, Metrics::new());
        Some(Self {
            runtime,
            server: Arc::new(server),
            clock,
            _stop: stop,
        })
    }

    /// Sends a request and waits for the answer. Of a subscription, the answer is the events that
    /// are ready. Time passes while a receive waits for a record.
    pub fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        let client = Client {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            over_tls: false,
        };
        self.runtime.block_on(async {
            let mut answering = pin!(self.server.clone().answer(request, client));
            let response = loop {
                let passing = async {
                    idle().await;
                    self.pass(LONGEST_WAIT_MS).await;
                };
                tokio::select! {
                    biased;
                    response = &mut answering => break response,
                    () = passing => {}
                }
            };
            read(response.expect("a body that is whole has an answer")).await
        })
    }

    /// Lets time pass.
    pub fn advance(&self, ms: i64) {
        self.runtime.block_on(self.pass(ms));
    }

    async fn pass(&self, ms: i64) {
        let target = Clock::Virtual(self.clock.clone()).now().plus_millis(ms);
        self.clock.advance_to(target).await;
    }
}

/// The standard limits, but so few shards and bytes that an input stays quick.
fn limits() -> Limits {
    let mut limits = Limits::for_profile(Profile::Standard);
    for (name, value) in [
        ("shards-per-account", "40"),
        ("shards-per-stream", "30"),
        ("request-bytes", "65536"),
        // A slow reader is detected by its connection, and there is no connection here.
        ("unread-event-seconds", "off"),
    ] {
        limits.set(name, value).unwrap();
    }
    limits
}

fn behaviour() -> Behaviour {
    let key = |(name, state): (&str, KeyState)| (name.to_owned(), state);
    Behaviour {
        keys: KeyState::ALL.map(key).into(),
        channels: ChannelBehaviour {
            destinations: Arc::new(Void),
            ..ChannelBehaviour::default()
        },
        ..Behaviour::default()
    }
}

/// Destinations that take everything.
#[derive(Debug)]
struct Void;

impl Destinations for Void {
    fn check(&self, _settings: &ChannelSettings) -> Pending<Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn begin(&self, _object: ObjectHead) -> Result<Box<dyn ObjectWriter>, DestinationError> {
        Ok(Box::new(Void))
    }
}

impl Write for Void {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ObjectWriter for Void {
    fn finish(self: Box<Self>) -> Pending<Result<u64, DestinationError>> {
        Box::pin(std::future::ready(Ok(0)))
    }
}

async fn read(response: Response<Body>) -> Answer {
    let (head, mut body) = response.into_parts();
    let content_type = head.headers.get("content-type");
    let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
    let mut parts = Vec::new();
    while parts.len() < FRAMES {
        let next = tokio::select! {
            biased;
            next = body.frame() => next,
            () = idle() => None,
        };
        let Some(next) = next else { break };
        parts.extend(next.unwrap().into_data());
    }
    Answer {
        status: head.status.as_u16(),
        content_type,
        parts,
    }
}

/// Lets the others run for a while.
async fn idle() {
    for _ in 0..ASKS {
        tokio::task::yield_now().await;
    }
}
