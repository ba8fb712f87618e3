//! A headless browser, driven over WebDriver on loopback: only what the tests of the page ask for.
//!
//! Follows the W3C's "WebDriver" and ChromeDriver's own commands. Nothing here waits by the clock: a command ends when the
//! browser has done it, or when its time is up.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::run::Folder;

/// The longest one command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one empty page; it ends with the test.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: Folder,
}

impl Browser {
    /// A new browser, or nothing after saying so where none is installed. `PARING_REQUIRE_BROWSER` forbids to go without.
    pub(crate) fn open() -> Option<Self> {
        let browser =
            ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].iter().find_map(|n| which(n));
        let (Some(browser), Some(driver)) = (browser, which("chromedriver")) else {
            assert!(
                std::env::var_os("PARING_REQUIRE_BROWSER").is_none(),
                "chromium and chromedriver are not installed"
            );
            eprintln!("SKIPPED: the page is not tried in a browser: chromium and chromedriver are not installed");
            return None;
        };
        let profile = Folder::new();
        let (driver, port) = start(&driver, profile.path());
        let mut this = Self { driver, port, session: String::new(), _profile: profile };
        let folder = this._profile.path().join("profile");
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1400,1000",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", folder.display()));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": browser, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": 30_000, "pageLoad": 30_000, "implicit": 0},
        }}});
        let made = this.send("POST", "/session", Some(&wanted));
        this.session = made["sessionId"].as_str().unwrap().to_owned();
        Some(this)
    }

    /// Opens a file and waits until it is there.
    pub(crate) fn open_file(&self, path: &Path) {
        // Away from the browser's own first page, whose requests are none of ours.
        self.ask("url", &json!({"url": "about:blank"}));
        self.log("performance");
        self.ask("url", &json!({"url": format!("file://{}", path.display())}));
    }

    /// Runs a function body in the page; what it returns.
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.ask("execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// The texts of all elements a selector finds, as a reader sees them.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText ?? e.textContent)";
        let found = self.run(script, &[selector.into()]);
        found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    /// Clicks, as a mouse does, on the first element the selector finds that shows the text.
    pub(crate) fn click(&self, selector: &str, text: &str) {
        let script =
            "return [...document.querySelectorAll(arguments[0])].find((e) => e.textContent.includes(arguments[1]))";
        let found = self.run(script, &[selector.into(), text.into()]);
        let element = found.as_object().unwrap_or_else(|| panic!("no `{selector}` shows `{text}`"));
        let id = element.values().next().unwrap().as_str().unwrap();
        self.ask(&format!("element/{id}/click"), &json!({}));
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        self.ask("actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}));
    }

    /// Shows the page as someone sees it who prefers dark pages.
    pub(crate) fn prefer_dark(&self) {
        let features = json!([{"name": "prefers-color-scheme", "value": "dark"}]);
        let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.ask("goog/cdp/execute", &command);
    }

    /// Everything the page or the browser had to complain about.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.log("browser").iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// The address of everything that was asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        let read = |entry: &Value| -> Option<String> {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &event["message"];
            let sent = message["method"] == "Network.requestWillBeSent";
            sent.then(|| message["params"]["request"]["url"].as_str().map(str::to_owned))?
        };
        self.log("performance").iter().filter_map(read).collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        self.ask("se/log", &json!({"type": kind})).as_array().unwrap().clone()
    }

    fn ask(&self, command: &str, body: &Value) -> Value {
        self.send("POST", &format!("/session/{}/{command}", self.session), Some(body))
    }

    /// A command that has to work.
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (ok, value) = self.exchange(method, path, body).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        assert!(ok, "{method} {path}: {value}");
        value
    }

    /// One request, one answer, one connection; whether it worked, and its value.
    fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<(bool, Value)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", self.port);
        request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        stream.write_all(request.as_bytes())?;
        // The driver keeps connections open: the length says where the answer ends.
        let (mut answer, mut line, mut length, mut ok) = (BufReader::new(stream), String::new(), 0, false);
        while answer.read_line(&mut line)? > 2 {
            ok |= line.starts_with("HTTP/1.1 200");
            let header = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            length = header.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(length);
            line.clear();
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body)?;
        let mut value: Value = serde_json::from_slice(&body)?;
        Ok((ok, value["value"].take()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser when it is asked to, and not when it is killed. Nothing more can be done if it does not.
        let _ = self.exchange("DELETE", &format!("/session/{}", self.session), None);
        let _ = self.exchange("GET", "/shutdown", None);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Starts the driver on a port of its choice.
fn start(driver: &Path, home: &Path) -> (Child, u16) {
    let mut child = Command::new(driver)
        .arg("--port=0")
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    // The driver goes on talking: somebody has to listen until it ends.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let port = line.rsplit_once("on port ").and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
            if let Some(port) = port.filter(|port| *port != 0) {
                let _ = tell.send(port);
            }
        }
    });
    let port = told.recv_timeout(PATIENCE);
    if port.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    (child, port.expect("chromedriver says its port"))
}

/// A program on the search path.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}
