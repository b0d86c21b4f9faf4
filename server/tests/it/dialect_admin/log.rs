//! The audit log by all that it can be asked for, and counts of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::app::PASSWORD;
use super::super::reply::Ask;
use super::Desk;

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn found(desk: &Desk, query: &str) -> Vec<String> {
    let page = desk.get(&format!("audit?{query}")).await.expect(200).json();
    assert_eq!(page["next"], json!(null), "{query}");
    let line = |entry: &Value| format!("{} {}", entry["event"].as_str().unwrap(), entry["outcome"].as_str().unwrap());
    page["items"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn a_line_is_found_by_all_that_it_is() {
    let desk = Desk::new().await;
    let ann = desk.app.user("ann").await;
    let begin = desk.app.now();
    desk.app.advance(HOUR);
    desk.app.sign_in("ann", "wrong").await.expect(401);
    desk.app.sign_in("nobody", "wrong").await.expect(401);
    let kalshi = json!({"email": "ann@example.com", "password": "wrong"});
    desk.app.send(Ask::post("/v1/log_in").json(&kalshi)).await.expect(401);
    desk.app.advance(HOUR);
    let end = desk.app.now();
    desk.app.sign_in("ann", PASSWORD).await.expect(200);

    assert_eq!(found(&desk, "outcome=invalid_credentials").await.len(), 3);
    assert_eq!(found(&desk, "outcome=invalid_credentials&dialect=kalshi").await.len(), 1);
    let of_ann = format!("user={}&event=sign_in", ann.id);
    assert_eq!(found(&desk, &of_ann).await.len(), 3);
    assert_eq!(found(&desk, &format!("{of_ann}&outcome=ok")).await, ["sign_in ok"]);
    assert_eq!(found(&desk, &format!("since={end}")).await, ["sign_in ok"]);
    assert_eq!(found(&desk, &format!("until={end}&event=sign_in&dialect=native")).await.len(), 3);
    assert_eq!(found(&desk, &format!("since={}&until={end}", begin.after(HOUR))).await.len(), 3);
    assert_eq!(found(&desk, &format!("since={begin}&until={begin}")).await, Vec::<String>::new());
    assert_eq!(found(&desk, "dialect=nothing").await, Vec::<String>::new());
    for field in ["since", "until"] {
        let wrong = desk.get(&format!("audit?{field}=yesterday")).await.problem(400, "invalid-parameters");
        assert_eq!(wrong["field"], field);
    }
}

/// A rare line behind many: a page looks at a bounded number of lines, and the next goes on from there.
#[tokio::test]
async fn pages_of_a_filter_have_a_bounded_cost_and_lose_nothing() {
    let desk = Desk::new().await;
    let ann = desk.app.user("ann").await;
    desk.app.sign_in("ann", "wrong").await.expect(401);
    let row = |place: u32| {
        let id = format!("fff00000-0000-7000-8000-{place:012}");
        format!("('{id}', 1, 'sign_out', 'ok', '{}', 'server', 'native', 'x')", ann.id)
    };
    let rows: Vec<_> = (0..5_100).map(row).collect();
    let columns = "id, at, event, outcome, user_id, actor, dialect, request_id";
    desk.app.database().execute(&format!("INSERT INTO audit ({columns}) VALUES {}", rows.join(", "))).await;
    let (mut query, mut pages, mut refused) = ("audit?outcome=invalid_credentials".to_owned(), 0, 0);
    loop {
        let page = desk.get(&query).await.expect(200).json();
        pages += 1;
        refused += page["items"].as_array().unwrap().len();
        let Some(next) = page["next"].as_str() else { break };
        query = format!("audit?outcome=invalid_credentials&after={next}");
    }
    assert_eq!((pages, refused), (2, 1));
}

#[tokio::test]
async fn sign_ins_and_refusals_are_counted_by_hour_and_by_day() {
    let desk = Desk::new().await;
    desk.app.user("ann").await;
    let (_, mut key) = desk.app.user_with_key("bob").await;
    desk.app.advance(25 * HOUR);
    let desk = Desk { token: desk.app.token("root").await, ..desk };
    desk.app.sign_in("ann", "wrong").await.expect(401);
    desk.app.sign_in("ann", PASSWORD).await.expect(200);
    let half = desk.app.token("bob").await;
    let wrong =
        Ask::post("/auth/v1/second-factor").bearer(&half).raw("application/json", super::super::dialect_native::ASSERTION);
    desk.app.send(wrong).await.expect(400);
    desk.app.step_up(&half, &mut key).await.expect(200);

    let counted = async |query: &str| {
        let counts = desk.get(&format!("counts{query}")).await.expect(200).json();
        let items = counts["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|item| item["more"] == false));
        let some: Vec<_> = items
            .iter()
            .filter(|item| item["sign_ins"] != 0 || item["refusals"] != 0)
            .map(|item| format!("{} {} {}", item["from"].as_str().unwrap(), item["sign_ins"], item["refusals"]))
            .collect();
        (items.len(), counts["by"].clone(), some)
    };
    // root and bob at the beginning; root, ann and bob a day later.
    let hours = ["2026-01-01T00:00:00.000Z 2 0".to_owned(), "2026-01-02T01:00:00.000Z 3 2".to_owned()].to_vec();
    assert_eq!(counted("").await, (48, json!("hour"), hours.clone()));
    assert_eq!(counted("?by=hour").await, (48, json!("hour"), hours));
    let days = ["2026-01-01T00:00:00.000Z 2 0".to_owned(), "2026-01-02T00:00:00.000Z 3 2".to_owned()].to_vec();
    assert_eq!(counted("?by=day").await, (30, json!("day"), days));
    assert_eq!(desk.get("counts?by=year").await.problem(400, "invalid-parameters")["field"], "by");
}

#[tokio::test]
async fn what_is_older_than_two_days_is_in_no_hour() {
    let desk = Desk::new().await;
    desk.app.advance(48 * HOUR);
    let token = desk.app.token("root").await;
    let counts = desk.app.send(Ask::get("/admin/v1/counts").bearer(&token)).await.expect(200).json();
    let counted: i64 = counts["items"].as_array().unwrap().iter().map(|item| item["sign_ins"].as_i64().unwrap()).sum();
    assert_eq!(counted, 1);
}

#[tokio::test]
async fn an_invitation_is_mailed_once_more_with_another_secret() {
    let desk = Desk::new().await;
    let body = json!({"email": "new@example.com", "expires_in": 60});
    let made = desk.post("invitations", body).await.expect(201);
    let (handle, before) = (made.at("/handle"), made.at("/id"));
    desk.app.deliver().await;
    desk.app.advance(HOUR);
    let desk = Desk { token: desk.app.token("root").await, ..desk };
    let reissued = desk.post(&format!("invitations/{handle}/reissue"), Value::Null).await.expect(200);
    assert_eq!((reissued.at("/handle"), reissued.at("/state")), (handle.clone(), "open".to_owned()));
    let secret = reissued.at("/id");
    assert_ne!(secret, before);
    assert_eq!(desk.app.query("new@example.com", "id").await, secret, "the mail carries it");
    let inspect = |id: &str| desk.app.send(Ask::post("/auth/v1/invitations/inspect").json(&json!({"id": id})));
    inspect(&before).await.problem(404, "invitation-not-found");
    inspect(&secret).await.expect(200);
    desk.delete(&format!("invitations/{handle}")).await.expect(204);
    desk.post(&format!("invitations/{handle}/reissue"), Value::Null).await.problem(409, "conflict");
    desk.post(&format!("invitations/{}/reissue", super::NOBODY), Value::Null).await.problem(404, "not-found");
    assert!(desk.app.audit().await.contains(&"invitation_reissued ok".to_owned()));
}

#[tokio::test]
async fn a_mail_is_shown_without_its_secret_before_and_after_it_was_sent() {
    let desk = Desk::new().await;
    desk.app.user("ann").await;
    let token = desk.app.token("ann").await;
    desk.app.send(Ask::patch("/auth/v1/profile").bearer(&token).json(&json!({"first_name": "Ann"}))).await.expect(200);
    desk.post("users/ann/recovery", Value::Null).await.expect(202);
    let invited = desk.post("invitations", json!({"email": "new@example.com"})).await.expect(201).at("/id");
    desk.app.send(Ask::post("/auth/v1/sign-in/code/request").json(&json!({"email": "ann@example.com"}))).await.expect(202);
    desk.app
        .register(&token, "yellow", &mut super::super::authenticator::Authenticator::new(1, super::super::app::ORIGIN))
        .await
        .expect(201);
    for sent in [false, true] {
        let mails = desk.get("mail").await.expect(200).json()["items"].as_array().unwrap().clone();
        assert_eq!(mails.len(), 4);
        for mail in mails {
            let kind = mail["kind"].as_str().unwrap();
            let shown = desk.get(&format!("mail/{}/preview", mail["id"].as_str().unwrap())).await.expect(200).json();
            let [subject, text, html] = ["subject", "text", "html"].map(|part| shown[part].as_str().unwrap());
            assert!(!subject.is_empty() && html.starts_with("<!"), "{kind}");
            let wanted = match kind {
                "recovery" => "http://localhost:8080/reset?code=NOT-SHOWN",
                "invitation" => "http://localhost:8080/invitation?id=NOT-SHOWN",
                "login_code" => "XXXXXX",
                "key_added" => "yellow",
                other => panic!("{other}"),
            };
            let in_html = wanted.rsplit('=').next().unwrap();
            assert!(text.contains(wanted) && html.contains(in_html), "{kind}: {text}");
            assert!(!shown.to_string().contains(&invited), "{kind}");
            assert!(kind != "recovery" || text.contains("Ann"), "{text}");
            if sent {
                assert_eq!(mail["state"], "sent", "{kind}");
                let code = desk.app.code("ann@example.com").await;
                assert!(!shown.to_string().contains(&code));
            }
        }
        desk.app.deliver().await;
    }
    desk.get(&format!("mail/{}/preview", super::NOBODY)).await.problem(404, "not-found");
}
