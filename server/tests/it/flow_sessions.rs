//! One session under all dialects: honoured everywhere, ended everywhere, half nowhere.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::session::{Claim, Presented};
use doorward::core::flows::sweep::{self, Left};
use doorward::core::flows::{second_factor_code, sessions, users};
use doorward::core::token::Secret;
use serde_json::json;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::flow_totp::enrol;
use super::reply::Ask;
use super::wires::{self, Wire, is_full_everywhere};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_session_of_any_dialect_is_honoured_in_every_other() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for wire in Wire::ALL {
        let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
        let token = wire.token(&reply);
        assert!(!is_full_everywhere(&app, &token).await.contains(&false), "{wire:?}");
    }
    let application = app.application(false, &[]).await;
    let token = application.token(&app, "ann").await;
    assert!(!is_full_everywhere(&app, &token).await.contains(&false), "kotak");
}

#[tokio::test]
async fn a_session_of_any_dialect_ends_by_every_other() {
    let app = TestApp::new().await;
    let user = app.user("ann").await;
    for wire in Wire::ALL {
        for way in 0..wires::sign_outs("", "").len() {
            let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
            let token = wire.token(&reply);
            let (name, ask) = wires::sign_outs(&token, &user.id.to_string()).swap_remove(way);
            assert!(app.send(ask).await.status.is_success(), "{wire:?} by {name}");
            assert!(!is_full_everywhere(&app, &token).await.contains(&true), "{wire:?} by {name}");
            let (name, ask) = wires::sign_outs(&token, &user.id.to_string()).swap_remove(way);
            assert!(app.send(ask).await.status.is_client_error(), "{wire:?} by {name}, twice");
        }
    }
}

#[tokio::test]
async fn only_its_own_application_ends_an_applications_session_through_kotak() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let (mine, other) = (app.application(false, &[]).await, app.application(false, &[]).await);
    let token = mine.token(&app, "ann").await;
    let bare = app.token("ann").await;
    app.send(wires::kotak_sign_out(&other, "ann", &token)).await.expect(401);
    app.send(wires::kotak_sign_out(&mine, "bob", &token)).await.expect(401);
    app.send(wires::kotak_sign_out(&mine, "ann", &bare)).await.expect(401);
    app.session(&token).await.expect(200);
    app.session(&bare).await.expect(200);
    app.send(wires::kotak_sign_out(&mine, "ann@example.com", &token)).await.expect(200);
    app.session(&token).await.expect(401);
}

#[tokio::test]
async fn a_half_session_is_worth_nothing_but_its_second_factor_and_sign_out() {
    let app = TestApp::new().await;
    let (user, mut key) = app.user_with_key("ann").await;
    let half = app.token("ann").await;
    assert!(!is_full_everywhere(&app, &half).await.contains(&true));
    // Nothing that a full session may do.
    let invitation = app.invite("ann@example.com", doorward::core::model::Role::Admin).await;
    for ask in [
        Ask::post("/auth/v1/keys/start").bearer(&half),
        Ask::post("/api/v1/auth/startRegister").cookie("doorward", &half),
        Ask::post("/auth/v1/password").bearer(&half).json(&json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD})),
        Ask::delete("/auth/v1/sessions").bearer(&half),
        Ask::post(format!("/api/v1/invitation/accept/{}", invitation.secret.reveal())).cookie("doorward", &half),
        Ask::post("/auth/v1/invitations/accept").bearer(&half).json(&json!({"id": invitation.secret.reveal()})),
        Ask::get("/admin/v1/users").bearer(&half),
    ] {
        let reply = app.send(ask).await;
        assert!(reply.status.is_client_error(), "{}", reply.snapshot());
    }
    assert!(app.step_up(&half, &mut key).await.status.is_success());
    for way in 0..wires::sign_outs("", "").len() {
        let half = app.token("ann").await;
        let (name, ask) = wires::sign_outs(&half, &user.id.to_string()).swap_remove(way);
        assert!(app.send(ask).await.status.is_success(), "{name}");
        app.send(Ask::post("/auth/v1/second-factor/start").bearer(&half)).await.expect(401);
    }
}

#[tokio::test]
async fn a_half_session_ends_after_ten_minutes_used_or_not() {
    let app = TestApp::new().await;
    let (_, mut key) = app.user_with_key("ann").await;
    let half = app.token("ann").await;
    app.advance(9 * MINUTE);
    app.send(Ask::post("/auth/v1/second-factor/start").bearer(&half)).await.expect(200);
    app.sweep().await;
    app.advance(MINUTE);
    app.send(Ask::post("/auth/v1/second-factor/start").bearer(&half)).await.expect(401);
    let fresh = app.token("ann").await;
    app.step_up(&fresh, &mut key).await.expect(200);
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_lives_until_its_absolute_end() {
    let app = TestApp::with(&[("sessions.idle", "1h"), ("sessions.absolute", "3h")]).await;
    app.user("ann").await;
    let (idle, used) = (app.token("ann").await, app.token("ann").await);
    for _ in 0..5 {
        app.advance(30 * MINUTE);
        app.session(&used).await.expect(200);
        app.sweep().await;
    }
    app.session(&idle).await.expect(401);
    app.advance(30 * MINUTE);
    app.session(&used).await.expect(401);
}

#[tokio::test]
async fn disabling_recovering_and_revoking_take_effect_in_all_dialects_at_once() {
    for act in ["disable", "delete", "set password", "end all"] {
        let app = TestApp::new().await;
        let user = app.user("ann").await;
        let application = app.application(false, &[]).await;
        let mut tokens = vec![application.token(&app, "ann").await];
        for wire in Wire::ALL {
            let reply = app.send(wire.sign_in("ann", PASSWORD)).await.expect(200);
            tokens.push(wire.token(&reply));
        }
        let begun = application.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
        let code = app.code("ann@example.com").await;
        let (core, call, operator, id) = (app.core(), app.call(), Authority::operator(), user.id.to_string());
        match act {
            "disable" => drop(users::disable(core, &call, operator, &id).await.unwrap()),
            "delete" => drop(users::delete(core, &call, operator, &id).await.unwrap()),
            "set password" => {
                let password = doorward::core::token::Secret::new(OTHER_PASSWORD);
                drop(users::set_password(core, &call, operator, &id, &password).await.unwrap());
            }
            _ => assert_eq!(sessions::end_all(core, &call, operator, user.id).await.unwrap(), 7),
        }
        for token in &tokens {
            assert!(!is_full_everywhere(&app, token).await.contains(&true), "{act}");
        }
        if act != "end all" {
            application.access_code(&app, "ann", &begun, &code).await.expect(401);
        }
    }
}

#[tokio::test]
async fn signing_in_ends_the_session_that_the_client_came_with() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    for wire in Wire::ALL {
        let old = app.token("ann").await;
        let name = if wire == Wire::Kalshi || wire == Wire::KalshiV2 { "sessions" } else { "doorward" };
        let reply = app.send(wire.sign_in("bob", PASSWORD).cookie(name, &old)).await.expect(200);
        assert_ne!(wire.token(&reply), old, "{wire:?}");
        app.session(&old).await.expect(401);
    }
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_and_nobody_elses() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let (first, second, third) = (app.token("ann").await, app.token("ann").await, app.token("ann").await);
    let bobs = app.token("bob").await;
    let list = app.send(Ask::get("/auth/v1/sessions").bearer(&first)).await.expect(200).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!(items.iter().filter(|item| item["current"] == json!(true)).count(), 1);
    let bob = app.session(&bobs).await.json()["session"]["id"].as_str().unwrap().to_owned();
    app.send(Ask::delete(format!("/auth/v1/sessions/{bob}")).bearer(&first)).await.expect(404);
    app.session(&bobs).await.expect(200);
    let id = app.session(&second).await.json()["session"]["id"].as_str().unwrap().to_owned();
    app.send(Ask::delete(format!("/auth/v1/sessions/{id}")).bearer(&first)).await.expect(204);
    app.session(&second).await.expect(401);
    let ended = app.send(Ask::delete("/auth/v1/sessions").bearer(&first)).await.expect(200);
    assert_eq!(ended.json()["ended"], json!(1));
    app.session(&third).await.expect(401);
    app.session(&first).await.expect(200);
    app.session(&bobs).await.expect(200);
}

#[tokio::test]
async fn changing_the_password_rotates_ends_the_others_and_needs_a_recent_sign_in() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (mine, other) = (app.token("ann").await, app.token("ann").await);
    let change = |token: &str, current: &str, new: &str| {
        Ask::post("/auth/v1/password").bearer(token).json(&json!({"current_password": current, "new_password": new}))
    };
    app.send(change(&mine, OTHER_PASSWORD, OTHER_PASSWORD)).await.expect(401);
    let weak = app.send(change(&mine, PASSWORD, "ann@example.com")).await.expect(422);
    assert!(weak.text().contains("easy to guess"), "{}", weak.snapshot());
    app.advance(16 * MINUTE);
    app.send(change(&mine, PASSWORD, OTHER_PASSWORD)).await.expect(403);
    let fresh = app.token("ann").await;
    let rotated = app.send(change(&fresh, PASSWORD, OTHER_PASSWORD)).await.expect(200).at("/token");
    for token in [&mine, &other, &fresh] {
        app.session(token).await.expect(401);
    }
    app.session(&rotated).await.expect(200);
    app.sign_in("ann", PASSWORD).await.expect(401);
    app.sign_in("ann", OTHER_PASSWORD).await.expect(200);
    assert!(app.mail("ann@example.com").await.code().is_none(), "a notice carries no code");
}

/// A call that came before another may be done after it: its time is when it came.
#[tokio::test]
async fn a_use_of_the_half_session_does_not_shorten_the_full_one() {
    for memory in ["0", "64"] {
        let app = TestApp::with(&[("sessions.cache_mib", memory)]).await;
        app.user("ann").await;
        let phone = enrol(&app, &app.token("ann").await).await;
        let half = app.token("ann").await;
        app.advance(6 * MINUTE);
        let (early, code) = (app.call(), Secret::new(phone.code(&app)));
        app.advance(Duration::from_secs(1));
        app.send(Ask::post("/auth/v1/second-factor/start").bearer(&half)).await.expect(409);
        let raised = second_factor_code::present(app.core(), &early, &Presented::token(&half, Claim::None), &code).await.unwrap();
        let full = raised.token.reveal().to_owned();
        app.session(&full).await.expect(200);
        app.sweep().await;
        app.advance(6 * MINUTE);
        app.sweep().await;
        app.session(&full).await.expect(200);
        let listed = app.send(Ask::get("/auth/v1/sessions").bearer(&full)).await.expect(200).text();
        assert!(listed.contains(&raised.session.id.to_string()), "memory {memory}: {listed}");
        app.send(Ask::delete("/auth/v1/session").bearer(&full)).await.expect(204);
        app.session(&full).await.expect(401);
    }
}

#[tokio::test]
async fn a_session_is_swept_when_its_last_use_is_surely_written_and_then_memory_has_it_no_more() {
    let app = TestApp::with(&[("sessions.idle", "10m")]).await;
    app.user("ann").await;
    let (used, gone) = (app.token("ann").await, app.token("ann").await);
    app.advance(10 * MINUTE - Duration::from_secs(1));
    for token in [&used, &gone] {
        app.session(token).await.expect(200);
    }
    // What another node does that has not heard of these uses.
    let sweep = async || sweep::expired(app.core(), &app.call(), Left::UNKNOWN).await.unwrap();
    app.advance(Duration::from_secs(25));
    sweep().await;
    assert_eq!(app.database().value("SELECT COUNT(*) FROM sessions").await, "2");
    app.advance(MINUTE);
    sweep().await;
    assert_eq!(app.database().value("SELECT COUNT(*) FROM sessions").await, "0");
    sweep::seen(app.core()).await.unwrap();
    for token in [&used, &gone] {
        app.session(token).await.expect(401);
        app.send(Ask::delete("/auth/v1/session").bearer(token)).await.expect(401);
    }
}

#[tokio::test]
async fn a_sign_in_by_a_clock_that_was_ahead_is_not_a_recent_one() {
    let hour = 60 * MINUTE;
    let app = TestApp::new().await;
    app.user("ann").await;
    app.advance(8 * hour);
    let token = app.token("ann").await;
    app.rewind(8 * hour);
    let ask = |token: &str| {
        let body = json!({"current_password": PASSWORD, "new_password": OTHER_PASSWORD});
        [Ask::post("/auth/v1/totp/start").bearer(token), Ask::post("/auth/v1/password").bearer(token).json(&body)]
    };
    for ask in ask(&token) {
        app.send(ask).await.problem(403, "recent-sign-in-required");
    }
    app.session(&token).await.expect(200);
    // Clocks of nodes differ by a little.
    app.advance(MINUTE);
    let token = app.token("ann").await;
    app.rewind(MINUTE);
    for ask in ask(&token) {
        app.send(ask).await.expect(200);
    }
}

#[tokio::test]
async fn removing_a_key_lowers_the_sessions_that_rest_on_it() {
    let app = TestApp::new().await;
    let (_, mut first) = app.user_with_key("ann").await;
    let on_first = app.token_with_key("ann", &mut first).await;
    let mut second = Authenticator::new(99, ORIGIN);
    app.register(&on_first, "second", &mut second).await.expect(201);
    let half = app.token("ann").await;
    let options = app.send(Ask::post("/auth/v1/second-factor/start").bearer(&half)).await.expect(200).json();
    let answer = json!({"credential": second.get(&options)});
    let on_second = app.send(Ask::post("/auth/v1/second-factor").bearer(&half).json(&answer)).await.expect(200).at("/token");

    let keys = app.send(Ask::get("/auth/v1/keys").bearer(&on_second)).await.expect(200).json();
    let list = keys["items"].as_array().or(keys.as_array()).unwrap().clone();
    let id = |name: &str| list.iter().find(|key| key["name"] == json!(name)).unwrap()["id"].as_str().unwrap().to_owned();
    app.send(Ask::delete(format!("/auth/v1/keys/{}", id("first"))).bearer(&on_second)).await.expect(204);
    // What rested on the first key owes a second factor again; what rests on the second does not.
    app.session(&on_first).await.expect(401);
    app.session(&on_second).await.expect(200);
    app.send(Ask::delete(format!("/auth/v1/keys/{}", id("second"))).bearer(&on_second)).await.expect(204);
    let left = app.session(&on_second).await.expect(200).json();
    assert_eq!(left["assurance_level"], json!(1));
    assert_eq!(left["factors"], json!(["password"]));
}

#[tokio::test]
async fn a_session_that_is_used_more_often_than_its_idle_time_lives() {
    let app = TestApp::with(&[("sessions.idle", "60s")]).await;
    app.user("ann").await;
    let token = app.token("ann").await;
    for use_ in 1..=60 {
        app.advance(Duration::from_secs(5));
        app.session(&token).await.expect(200);
        // Housekeeping comes by more seldom than uses.
        if use_ % 7 == 0 {
            app.sweep().await;
        }
    }
    app.advance(Duration::from_secs(60));
    app.session(&token).await.expect(401);
}

#[tokio::test]
async fn a_use_counts_before_it_is_written_down() {
    let app = TestApp::with(&[("sessions.idle", "10m")]).await;
    app.user("ann").await;
    let (kept, ended) = (app.token("ann").await, app.token("ann").await);
    app.advance(Duration::from_secs(598));
    app.session(&kept).await.expect(200);
    app.session(&ended).await.expect(200);
    app.advance(Duration::from_secs(4));
    assert!(!is_full_everywhere(&app, &kept).await.contains(&false), "past what is written, not past what is noted");
    app.send(Ask::delete("/auth/v1/session").bearer(&ended)).await.expect(204);
    app.sweep().await;
    app.session(&kept).await.expect(200);
    app.session(&ended).await.expect(401);
    app.advance(Duration::from_secs(10 * 60));
    app.session(&kept).await.expect(401);
}

#[tokio::test]
async fn a_session_that_a_sign_in_replaces_is_on_record() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for wire in Wire::ALL {
        let old = app.token("ann").await;
        let id = app.session(&old).await.expect(200).at("/session/id");
        app.send(wire.sign_in("ann", PASSWORD).cookie("doorward", &old).cookie("sessions", &old)).await.expect(200);
        let count = format!("SELECT count(*) FROM audit WHERE event = 'sessions_ended' AND detail = '{id}'");
        assert_eq!(app.database().value(&count).await, "1", "{wire:?}");
    }
}
