//! TLS on the same port, with and without a negotiated protocol.

use crate::lab::raw::Connection;
use crate::lab::{Lab, Place, Request, h2, run, wire_test};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

static VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A TLS client that trusts only the emulator's own certificate authority.
async fn connector(
    lab: &Lab,
    version: &'static SupportedProtocolVersion,
    offered: &[&str],
) -> TlsConnector {
    let pem = lab.send(&Request::bare("GET", "/_minikin/ca.pem")).await;
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&pem.body).unwrap())
        .unwrap();
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = offered
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    TlsConnector::from(Arc::new(config))
}

async fn connect(lab: &Lab, connector: &TlsConnector, name: &str) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(lab.address()).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    connector
        .connect(name.clone(), stream)
        .await
        .unwrap_or_else(|error| panic!("{name:?}: {error}"))
}

fn list() -> Request {
    Request::json("ListStreams", "{}")
}

wire_test!(every_way_to_speak_over_tls_is_answered, |lab| async move {
    for version in VERSIONS {
        let agreed = |stream: &TlsStream<TcpStream>| {
            let protocol = stream.get_ref().1.alpn_protocol();
            protocol.map(|name| String::from_utf8(name.to_vec()).unwrap())
        };
        for (offered, chosen) in [
            (["h2", "http/1.1"].as_slice(), Some("h2")),
            (["http/1.1", "h2"].as_slice(), Some("h2")),
            (["h2"].as_slice(), Some("h2")),
            ([].as_slice(), None),
        ] {
            let connector = connector(&lab, version, offered).await;
            let stream = connect(&lab, &connector, "localhost").await;
            assert_eq!(agreed(&stream).as_deref(), chosen, "{offered:?}");
            let answers = h2::exchange(stream, &[list()]).await;
            assert_eq!(answers[0].status, 200, "{offered:?}");
        }
        for (offered, chosen) in [
            (["http/1.1"].as_slice(), Some("http/1.1")),
            ([].as_slice(), None),
        ] {
            let connector = connector(&lab, version, offered).await;
            let stream = connect(&lab, &connector, "localhost").await;
            assert_eq!(agreed(&stream).as_deref(), chosen, "{offered:?}");
            let mut connection = Connection::over(stream);
            for _ in 0..2 {
                let answer = connection.exchange(&list()).await;
                assert_eq!(answer.status, 200, "{offered:?}");
                super::check_usual(&answer);
            }
        }
    }
});

wire_test!(
    the_generated_certificate_verifies_for_every_name,
    ["--tls-name", "queue.test", "--tls-name", "10.9.8.7"],
    |lab| async move {
        let connector = connector(&lab, &TLS13, &["http/1.1"]).await;
        for name in [
            "localhost",
            "127.0.0.1",
            "::1",
            "host.docker.internal",
            "kinesis",
            "minikin",
            "localstack",
            "kinesis-mock",
            "kinesalite",
            "kinesis.localhost",
            "kinesis.us-east-1.amazonaws.com",
            "abc.control-kinesis.us-east-1.amazonaws.com",
            "abc.data-kinesis.us-east-1.amazonaws.com",
            "queue.test",
            "10.9.8.7",
        ] {
            let stream = connect(&lab, &connector, name).await;
            let answer = Connection::over(stream).exchange(&list()).await;
            assert_eq!(answer.status, 200, "{name}");
        }
        let stream = TcpStream::connect(lab.address()).await.unwrap();
        let other = ServerName::try_from("elsewhere.test").unwrap();
        assert!(
            connector.connect(other, stream).await.is_err(),
            "not for every name"
        );
    }
);

#[test]
fn policies_distinguish_a_request_over_tls_from_a_plain_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = r#"{"AKIAIOSFODNN7EXAMPLE": {
        "arn": "arn:aws:iam::000000000000:role/encrypted",
        "policies": [{"Statement": {
            "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "true"}}
        }}]
    }}"#;
    std::fs::write(file.path(), text).unwrap();
    let flags = ["--policies", file.path().to_str().unwrap()];
    run(Place::Memory, &flags, |lab| async move {
        let refused = lab.send_both(&list()).await.refusal().to_string();
        assert!(refused.starts_with("AccessDenied"), "{refused}");
        let tls = connector(&lab, &TLS13, &["http/1.1"]).await;
        let stream = connect(&lab, &tls, "localhost").await;
        let answer = Connection::over(stream).exchange(&list()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let tls = connector(&lab, &TLS13, &["h2"]).await;
        let stream = connect(&lab, &tls, "localhost").await;
        assert_eq!(h2::exchange(stream, &[list()]).await[0].status, 200);
    });
}
