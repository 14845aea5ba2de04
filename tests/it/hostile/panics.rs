//! A panic in a handler ends only the request that caused it.

use crate::lab::raw::Connection;
use crate::lab::{Request, block_on};
use axum::Router;
use axum::routing::get;
use minikin::Clock;
use minikin::Profile;
use minikin::internals::engine::tasks::{self, Tasks};
use minikin::internals::engine::{Behaviour, Engine};
use minikin::internals::http::listen::{self, Connections, Settings};
use minikin::internals::http::metrics::Metrics;
use minikin::internals::http::tls::{TlsIdentity, names};
use minikin::internals::http::{AccessSettings, Server};
use minikin::internals::limits::Limits;
use minikin::internals::model::{AccountId, AccountRegion, Region};
use minikin::internals::store::{self, Store};
use minikin::internals::world::Random;
use minikin::internals::world::World;
use minikin::{AllowedOrigin, Authentication};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// A server like the emulator's, with access to its engine and with a path that panics.
struct Broken {
    engine: Arc<Engine>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Tasks,
}

impl Broken {
    fn start() -> Self {
        let limits = Limits::for_profile(Profile::Standard);
        let connections = Connections::of(&limits, 0);
        let (store, recovered) = Store::open(store::Settings::default())
            .unwrap()
            .on_thread()
            .unwrap();
        let world = World::new(Clock::System, Random::system());
        let (stop, stopped) = watch::channel(false);
        let behaviour = Behaviour::default();
        let engine = Engine::start(world, limits, behaviour, store, &recovered, stopped.clone());
        let engine = engine.unwrap();
        let own = Router::new().route("/_minikin/panics", get(panicking));
        let metrics = Metrics::new();
        let access = AccessSettings {
            allowed_origins: vec![AllowedOrigin::Any],
            authentication: Authentication::Structure,
            credentials: Vec::new(),
            identities: None,
            default_scope: AccountRegion {
                account: account(),
                region: Region::new(crate::lab::REGION),
            },
        };
        let server = Arc::new(Server::new(engine.clone(), access, own, metrics.clone()));
        let listeners = listen::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = listeners[0].local_addr().unwrap();
        let tls = TlsIdentity::generated(None, names("us-east-1", &[]), Clock::System);
        let settings = Settings {
            connections,
            metrics,
            tls: Arc::new(tls),
            stop: stopped,
        };
        let tasks = Tasks::new();
        tasks.spawn("server", async move {
            let service = move |request, peer| server.clone().answer(request, peer);
            listen::serve(listeners, settings, service, &Tasks::new()).await;
        });
        Self {
            engine,
            address,
            stop,
            tasks,
        }
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.tasks.close_and_join(crate::lab::WAIT_LIMIT).await;
        self.engine.close().await.unwrap();
    }
}

async fn panicking() -> &'static str {
    panic!("meant")
}

fn account() -> AccountId {
    AccountId::parse(crate::lab::ACCOUNT).unwrap()
}

#[test]
fn a_panic_ends_one_request_and_is_counted() {
    block_on(async {
        let broken = Broken::start();
        let before = tasks::panics();
        let mut connection = Connection::open(broken.address).await;
        let answer = connection
            .exchange(&Request::bare("GET", "/_minikin/panics"))
            .await;
        let message = r#"{"message":"an error of minikin: see its log"}"#;
        assert_eq!((answer.status, answer.text().as_str()), (500, message));
        let list = Request::json("ListStreams", "{}");
        assert_eq!(
            connection.exchange(&list).await.status,
            200,
            "on the same connection"
        );
        assert!(tasks::panics() > before);
        broken.end().await;
    });
}

#[test]
fn after_a_panic_its_stream_is_refused_and_the_others_are_served() {
    block_on(async {
        let broken = Broken::start();
        let mut connection = Connection::open(broken.address).await;
        for name in ["broken", "sound"] {
            let create = format!(r#"{{"StreamName":"{name}","ShardCount":1}}"#);
            let create = Request::json("CreateStream", &create);
            assert_eq!(connection.exchange(&create).await.status, 200);
        }
        let scope = AccountRegion {
            account: account(),
            region: Region::new(crate::lab::REGION),
        };
        let stream = broken.engine.find(&scope, "broken").unwrap();
        let panicked = std::thread::spawn(move || stream.look(|_| panic!("meant"))).join();
        assert!(panicked.is_err());

        let before = tasks::panics();
        let put = |name: &str| {
            let body = format!(r#"{{"StreamName":"{name}","PartitionKey":"k","Data":"AAAA"}}"#);
            Request::json("PutRecord", &body)
        };
        let socket = tokio::net::TcpStream::connect(broken.address)
            .await
            .unwrap();
        let requests = [put("broken"), put("sound"), put("broken"), put("sound")];
        let answers = crate::lab::h2::exchange(socket, &requests).await;
        for ((request, over_http_2), status) in
            requests.iter().zip(answers).zip([500, 200, 500, 200])
        {
            let answer = connection.exchange(request).await;
            assert_eq!((answer.status, over_http_2.status), (status, status));
            if status == 500 {
                assert_eq!(answer.text(), r#"{"__type":"InternalFailure"}"#);
                crate::routing::check_usual(&answer);
            }
        }
        assert!(tasks::panics() >= before + 4);
        broken.end().await;
    });
}
