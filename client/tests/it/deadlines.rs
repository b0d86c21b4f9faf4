//! A call ends, whatever the server does.

use std::time::Duration;

use doorward_client::{Error, Retry, kestra};

use super::script::{Act, Script, nobody, options, say};

/// Long enough for a call to reach its server on a busy machine.
const DEADLINE: Duration = Duration::from_secs(3);

fn api(url: &str) -> kestra::AuthApi {
    kestra::AuthApi::with(url, &options().deadline(DEADLINE)).unwrap()
}

#[tokio::test]
async fn a_server_that_never_answers_is_waited_for_until_the_deadline() {
    let script = Script::new([Act::Hang]).await;
    assert!(matches!(api(&script.url).index().await, Err(Error::Deadline(DEADLINE))));
    assert!(matches!(api(&script.url).login("a", &"b".into()).await, Err(Error::Deadline(DEADLINE))));
    // The deadline is of the call, not of each try.
    assert_eq!(script.heard().len(), 2);
}

#[tokio::test]
async fn so_is_an_answer_that_never_ends() {
    // More is promised than comes, and the connection stays: the promise of 10 bytes is not kept by a body of 2.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.writable().await.unwrap();
        stream.try_write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}").unwrap();
        std::future::pending::<()>().await;
        drop(stream);
    });
    assert!(matches!(api(&url).index().await, Err(Error::Deadline(DEADLINE))));
    server.abort();
}

#[tokio::test]
async fn a_pause_that_would_pass_the_deadline_is_not_begun() {
    let script = Script::new([say(503, &[("Retry-After", "3")], r#"{"message": "away"}"#)]).await;
    let retry = Retry::new(9, Duration::from_millis(1), Duration::from_secs(60));
    let api = kestra::AuthApi::with(&script.url, &options().deadline(Duration::from_secs(2)).retry(retry)).unwrap();
    let refused = api.index().await.unwrap_err();
    assert_eq!(
        (refused.status().unwrap().as_u16(), refused.retry_after(), script.heard().len()),
        (503, Some(Duration::from_secs(3)), 1)
    );
}

#[tokio::test]
async fn nobody_at_home() {
    let (_kept, url) = nobody();
    let error = api(&url).index().await.unwrap_err();
    assert!(matches!(&error, Error::Broken(broken) if broken.is_connect()), "{error:?}");
    assert_eq!(error.to_string(), "the server cannot be reached");
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let padded =
        |mebibytes: usize| say(200, &[], &format!("{}{}", " ".repeat(mebibytes * 1024 * 1024), r#"{"loginPassword": true}"#));
    let script = Script::new([padded(1), padded(9)]).await;
    let api = kestra::AuthApi::with(&script.url, &options()).unwrap();
    assert!(api.index().await.is_ok());
    assert!(matches!(api.index().await, Err(Error::Unreadable(_))));
}
