//! A small HTTP server for tests, on a loopback port.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// A request that the server has received.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Value of the header `Range`.
    pub(super) range: Option<String>,
    pub(super) body: Vec<u8>,
}

/// The answer of the server: an HTTP status and a body. If the answer is None, the server closes
/// the connection.
pub(super) type Answer = Option<(u16, Vec<u8>)>;

/// Starts a server that answers with `answer`, and returns its URL. The server runs until the tests
/// end.
pub(super) fn serve(answer: impl Fn(Request) -> Answer + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || connection(&stream.unwrap(), &answer));
        }
    });
    url
}

fn connection(mut stream: &TcpStream, answer: &dyn Fn(Request) -> Answer) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader) {
        let has_body = request.method != "HEAD";
        let Some((status, body)) = answer(request) else {
            break;
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        let body = body.as_slice();
        let sent = [head.as_bytes(), if has_body { body } else { &[] }].concat();
        stream.write_all(&sent).unwrap();
    }
}

fn request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next()?,
        path: words.next()?,
        ..Request::default()
    };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().to_lowercase().split_once(": ") {
            Some(("content-length", value)) => request.body = vec![0; value.parse().unwrap()],
            Some(("range", value)) => request.range = Some(value.to_owned()),
            Some(_) => {}
            None => break,
        }
    }
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
