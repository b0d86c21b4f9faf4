//! The binary as an operator meets it: its commands, its start, its end, and a death at any moment.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::database::Database;

const PASSWORD: &str = "correct horse battery 9!";

/// A folder of one's own, and the binary in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.current_dir(self.path()).env_clear();
        command.env("DOORWARD_PASSWORDS__MEMORY_KIB", "8192").env("DOORWARD_SHUTDOWN_DRAIN", "0s");
        command.args(arguments.split_whitespace()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &str, input: &str) -> Output {
        let mut child = self.command(arguments).spawn().unwrap();
        // Who does not read the input has closed it by now.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What a command that succeeds says.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &str, input: &str) -> Value {
        let output = self.run(&format!("{arguments} --json"), input);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The one line of a command that ends with this code.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &str, input: &str, code: i32) -> String {
        let output = self.run(arguments, input);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {text}");
        assert!(output.stdout.is_empty(), "{arguments}");
        assert_eq!(text.matches('\n').count(), 1, "{arguments}: {text}");
        text.trim_end().to_owned()
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_logging_to(Stdio::null())
    }

    fn serve_logging_to(&self, log: Stdio) -> Server {
        self.serve_with("", log)
    }

    pub(crate) fn serve_with(&self, arguments: &str, log: Stdio) -> Server {
        let mut command = self.command(&format!("serve --listen 127.0.0.1:0 --json {arguments}"));
        let mut child = command.stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Server { greeting: serde_json::from_str(&line).unwrap(), child }
    }
}

pub(crate) struct Server {
    greeting: Value,
    child: Child,
}

impl Server {
    fn address(&self) -> &str {
        self.greeting["listen"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// Sends a request with `Connection: close`; the whole answer.
    pub(crate) fn ask(&self, line: &str, token: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let length = body.len();
        let bearer = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{bearer}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn sign_in(&self, username: &str) -> String {
        let body = serde_json::json!({ "identifier": username, "password": PASSWORD }).to_string();
        let answer = self.ask("POST /auth/v1/sign-in/password", "", &body);
        let json: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        json["token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn signal(&self, name: &str) {
        let told = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(told.success());
    }

    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not in ten seconds: {what}");
}

pub(crate) fn create_user(place: &Place, username: &str) -> Value {
    let arguments = format!("user create --email {username}@example.com --username {username} --password-stdin");
    place.json(&arguments, &format!("{PASSWORD}\n"))
}

#[test]
fn starts_with_nothing_and_says_what_to_do() {
    let place = Place::new();
    let server = place.serve();
    assert_eq!(server.greeting["database"], "sqlite://./data/doorward.db");
    assert_eq!(server.greeting["mail"], "./data/mail");
    let port = server.greeting["listen"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(server.greeting["mailbox"], format!("http://localhost:{port}/dev/mail"));
    assert!(server.greeting["create_user"].as_str().unwrap().contains(" user create --email "));
    let public_url = server.greeting["public_url"].as_str().unwrap();
    let (before, secret) = server.greeting["set_up"].as_str().unwrap().split_at(public_url.len() + "/setup?token=".len());
    assert_eq!((before, secret.len()), (format!("{public_url}/setup?token=").as_str(), 43));
    assert!(server.ask("GET /health/ready", "", "").starts_with("HTTP/1.1 200"));
    let taken = place.refused(&format!("serve --listen {}", server.address()), "", 1);
    assert!(taken.starts_with("error: listen (flag --listen): ") && taken.contains(" is in use; "), "{taken}");
    server.stop();
    // The link is shown once: it is good yet, and the command works as well.
    let server = place.serve();
    assert!(server.greeting["set_up"].is_null() && server.greeting["create_user"].is_string());
    create_user(&place, "ann");
    server.stop();
    let greeting = place.serve().greeting.clone();
    assert!(greeting["create_user"].is_null() && greeting["set_up"].is_null());
}

#[test]
fn commands_work_beside_a_server() {
    let place = Place::new();
    let server = place.serve();
    let id = create_user(&place, "ann")["id"].as_str().unwrap().to_owned();
    let token = server.sign_in("ann");
    assert_eq!(place.json("session list --user ann", "")["items"][0]["user_id"], id.as_str());
    assert_eq!(place.json("session revoke --user ann", "")["ended"], 1);
    eventually("the session is ended", || server.ask("GET /auth/v1/session", &token, "").starts_with("HTTP/1.1 401"));
    place.json("user disable ann", "");
    assert_eq!(place.json("user show ann", "")["status"], "disabled");
    place.json("user enable ann@example.com", "");
    place.json("user set-password ann --password-stdin", "another staple of mine 7?\n");

    let invited = place.json("invitation create bob@example.com --role admin --expires 7d", "");
    let (secret, handle) = (invited["id"].as_str().unwrap(), invited["handle"].as_str().unwrap());
    assert!(invited["link"].as_str().unwrap().ends_with(secret) && handle != secret);
    eventually("the mail is sent", || place.json("mail list", "")["items"][0]["status"] == "sent");
    place.json(&format!("invitation revoke {handle}"), "");

    let made = place.json("app create tool --allow-network 10.0.0.0/8 --one-time-token-suffices", "");
    let app_id = made["app_id"].as_str().unwrap();
    assert_eq!(
        place.json(&format!("app limit {app_id} --allow-network 192.0.2.7"), "")["networks"],
        serde_json::json!(["192.0.2.7/32"])
    );
    assert_eq!(place.json(&format!("app limit {app_id} --anywhere"), "")["networks"], serde_json::json!([]));
    let rotated = place.json(&format!("app rotate {app_id}"), "");
    assert_ne!(made["consumer_key"], rotated["consumer_key"]);
    place.json(&format!("app revoke {app_id}"), "");

    let secrets = [secret, rotated["consumer_key"].as_str().unwrap(), rotated["access_token"].as_str().unwrap(), &token];
    for list in ["user", "invitation", "app", "session", "mail", "audit"] {
        let page = place.json(&format!("{list} list --limit 1"), "");
        assert!(page["items"].as_array().unwrap().len() <= 1 && page.get("next").is_some(), "{list}: {page}");
        let text = place.json(&format!("{list} list"), "").to_string();
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{list} shows a secret");
    }
    assert_eq!(place.json("user delete ann", "")["id"], id.as_str());
    assert_eq!(place.json(&format!("audit list --user {id}"), "")["items"][0]["event"], "user_deleted");
    server.stop();
}

#[test]
fn refusals_are_one_line_and_mistakes_too() {
    let place = Place::new();
    assert!(place.refused("user list", "", 1).contains("there is no database"));
    create_user(&place, "ann");
    for (arguments, input, code, line) in [
        ("user show bob", "", 1, "error: there is no user bob; `doorward user list` shows all"),
        (
            "user set-password ann --password-stdin",
            "short",
            1,
            "error: The password needs at least 8 characters. The password is too easy to guess. ",
        ),
        (
            "user create --email ann@example.com --username ann2 --no-password",
            "",
            1,
            "error: a user with this e-mail address exists; ",
        ),
        ("user set-password ann", "", 2, "error: nobody can be asked for the password here; "),
        ("config check --sessions-idle 0s", "", 2, "error: sessions.idle (flag --sessions-idle): must be more than nothing, "),
        (
            "config check --shutdown-grace 5s --shutdown-drain 5s",
            "",
            2,
            "error: shutdown_drain (flag --shutdown-drain): must be shorter than shutdown_grace, ",
        ),
        ("serve --smtp-url smtp://:p@mail", "", 2, "error: smtp_url (flag --smtp-url): "),
        ("serve --config nowhere.toml", "", 2, "error: nowhere.toml (--config or DOORWARD_CONFIG): there is no such file; "),
    ] {
        let said = place.refused(arguments, input, code);
        assert!(said.starts_with(line), "{said}");
    }
    std::fs::write(place.path().join("doorward.toml"), "listn = 'x'\n").unwrap();
    assert_eq!(place.refused("serve", "", 2), "error: listn (doorward.toml, line 1): unknown key; did you mean listen?");
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let place = Place::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let server = place.serve_with("", full.into());
    create_user(&place, "ann");
    let token = server.sign_in("ann");
    assert!(server.ask("GET /auth/v1/session", &token, "").starts_with("HTTP/1.1 200"));
    server.stop();
    // A reader that has gone is no better than a full disk.
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    let server = place.serve_with("", pipe.into());
    server.sign_in("ann");
    server.stop();
}

/// A request that is in flight: its body is still to come.
fn begin_recovery(server: &Server, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = "POST /auth/v1/recovery HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len()).unwrap();
    // The server asks for the body once a handler reads it.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(asked, *b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

fn rest_of(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn answers_what_is_in_flight_and_ends() {
    let place = Place::new();
    let mut server = place.serve();
    let body = r#"{"identifier":"nobody"}"#;
    let mut stream = begin_recovery(&server, body);
    server.signal("TERM");
    eventually("no connection gets in", || TcpStream::connect(server.address()).is_err());
    assert!(server.child.try_wait().unwrap().is_none(), "it did not wait");
    stream.write_all(body.as_bytes()).unwrap();
    let answer = rest_of(stream);
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn says_that_it_stops_before_it_does() {
    let place = Place::new();
    create_user(&place, "ann");
    let patient = "--shutdown-grace 2h --shutdown-drain 1h";
    let mut server = place.serve_with(patient, Stdio::null());
    let token = server.sign_in("ann");
    let body = r#"{"identifier":"nobody"}"#;
    let mut stream = begin_recovery(&server, body);
    server.signal("TERM");
    eventually("it says that it stops", || {
        let answer = server.ask("GET /health/ready", "", "");
        answer.starts_with("HTTP/1.1 503") && answer.ends_with(r#"{"status":"stopping"}"#)
    });
    // Whoever comes all the same is served, and told to come no more on this connection.
    assert!(server.ask("GET /health/live", "", "").starts_with("HTTP/1.1 200"));
    let mut kept = TcpStream::connect(server.address()).unwrap();
    write!(kept, "GET /auth/v1/session HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
    let answer = rest_of(kept);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    // A second signal ends the drain, and nothing that is in flight.
    server.signal("TERM");
    eventually("no connection gets in", || TcpStream::connect(server.address()).is_err());
    assert!(server.child.try_wait().unwrap().is_none(), "it did not wait");
    stream.write_all(body.as_bytes()).unwrap();
    let answer = rest_of(stream);
    assert!(answer.starts_with("HTTP/1.1 20") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    // Nobody at a terminal waits for the drain; an impatient one not even for the requests.
    let mut server = place.serve_with(patient, Stdio::null());
    let stream = begin_recovery(&server, body);
    server.signal("INT");
    eventually("no connection gets in", || TcpStream::connect(server.address()).is_err());
    server.signal("INT");
    assert_eq!(server.child.wait().unwrap().code(), Some(130));
    drop(stream);
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let place = Place::new();
    create_user(&place, "ann");
    let mut server = place.serve();
    for _ in 0..3 {
        let (kept, ended) = (server.sign_in("ann"), server.sign_in("ann"));
        assert!(server.ask("DELETE /auth/v1/session", &ended, "").starts_with("HTTP/1.1 204"));
        let asked = server.ask("POST /auth/v1/recovery", "", r#"{"identifier":"ann"}"#);
        assert!(asked.starts_with("HTTP/1.1 20"), "{asked}");
        // As `kill -9` does.
        server.child.kill().unwrap();
        drop(server);
        server = place.serve();
        assert!(server.ask("GET /auth/v1/session", &kept, "").starts_with("HTTP/1.1 200"));
        assert!(server.ask("GET /auth/v1/session", &ended, "").starts_with("HTTP/1.1 401"));
    }
    let mails = place.json("mail list", "");
    assert_eq!(mails["items"].as_array().unwrap().iter().filter(|mail| mail["kind"] == "recovery").count(), 3);
    server.stop();
}

#[tokio::test]
async fn what_is_given_back_keeps_no_answer_waiting_and_is_waited_for_at_the_end() {
    let place = Place::new();
    let database = Database::new(place.path()).await;
    // SQLite gives back in the transaction itself.
    let Database::Postgres { .. } = database else { return };
    let at = format!("--database-url {}", database.url());
    let create = format!("user create --email ann@example.com --username ann --password-stdin {at}");
    place.json(&create, &format!("{PASSWORD}\n"));
    let mut server = place.serve_with(&at, Stdio::null());
    let slow =
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
                CREATE TRIGGER refunds BEFORE UPDATE ON limits FOR EACH ROW WHEN (NEW.tat < OLD.tat) EXECUTE FUNCTION hold()";
    database.batch(slow).await;
    let (holder, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    holder.batch_execute("SELECT pg_advisory_lock(1)").await.unwrap();
    server.sign_in("ann");
    let counted = "SELECT count(*) FROM limits WHERE tat > extract(epoch FROM now()) * 1000";
    assert_eq!(database.value(counted).await, "2", "the name's and the network's");
    server.signal("TERM");
    eventually("no connection gets in", || TcpStream::connect(server.address()).is_err());
    assert!(server.child.try_wait().unwrap().is_none(), "it did not wait");
    holder.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert_eq!(database.value(counted).await, "0");
}
