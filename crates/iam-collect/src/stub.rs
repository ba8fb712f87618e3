//! A stand-in for AWS on loopback, for tests: answers by a function from the request, and remembers what was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_iam::config::Credentials;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// Secrets that must never come out anywhere.
pub(crate) const CANARY: &str = "canary-secret-0123456789";

pub(crate) struct Stub {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Serves until the test ends. A request is its first line and its body.
pub(crate) fn serve(answer: impl Fn(&str, usize) -> (u16, String) + Send + 'static) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(request) = read(&mut stream) else { continue };
            let before = {
                let mut log = log.lock().unwrap();
                log.push(request.clone());
                log.iter().filter(|earlier| **earlier == request).count() - 1
            };
            let (status, body) = answer(&request, before);
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes());
        }
    });
    Stub { url, asked }
}

fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(format!("{} {body}", head.lines().next().unwrap_or_default()));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

impl Stub {
    /// A configuration that leads here, with quick retries.
    pub(crate) fn config(&self) -> SdkConfig {
        let client =
            aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let retries =
            RetryConfig::standard().with_max_attempts(3).with_initial_backoff(std::time::Duration::from_millis(1));
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client)
            .endpoint_url(&self.url)
            .region(Region::new("us-east-1"))
            .retry_config(retries)
            .credentials_provider(Credentials::new("AKIACANARY", CANARY, None, None, "test"));
        crate::connect::block_on(loader.load()).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
