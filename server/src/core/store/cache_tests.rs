use std::sync::atomic::AtomicI64;

use super::*;
use crate::core::clock::Timestamp;
use crate::core::model::{Email, Factors, PersonName, Role, SessionState, Status, Username};

fn id(of: u16) -> String {
    format!("01a21f10-6e4c-7000-82ae-59ba58da{of:04x}")
}

fn token(of: u16) -> SecretHash {
    SecretHash::digest("session", &of.to_string())
}

/// Session `of` of user `of + 1000`, opened through application `of + 2000`; last seen at `version`.
fn known(of: u16, version: i64) -> Known {
    known_until(of, version, version)
}

fn known_until(of: u16, version: i64, until: i64) -> Known {
    let (at, expires_at) = (Timestamp::from_millis(version), Timestamp::from_millis(until));
    let session = Session {
        id: id(of).parse().unwrap(),
        user_id: id(of + 1000).parse().unwrap(),
        application_id: Some(id(of + 2000).parse().unwrap()),
        state: SessionState::Full,
        factors: Factors::parse("password").unwrap(),
        security_key_id: None,
        dialect: "native".into(),
        address: Some("192.0.2.1".into()),
        user_agent: None,
        created_at: at,
        authenticated_at: at,
        last_seen_at: at,
        idle_expires_at: at,
        expires_at,
    };
    let user = User {
        id: session.user_id,
        username: Username::parse("ann").unwrap(),
        email: Email::parse("ann@example.com").unwrap(),
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        role: Role::Member,
        status: Status::Active,
        email_verified_at: None,
        created_at: at,
    };
    Known { session: Arc::new(session), user: Arc::new(user) }
}

const LONG: Duration = Duration::from_secs(3600);

fn live() -> Sessions {
    let sessions = Sessions::new(1 << 20);
    sessions.renew(Instant::now(), LONG);
    sessions
}

fn use_of(session: &Session, of: u16, at: i64) -> Use {
    let at = Timestamp::from_millis(at);
    Use { id: session.id, token: token(of), at, idle_expires_at: at }
}

#[test]
fn a_use_moves_what_is_kept_and_brings_nothing_back() {
    let sessions = live();
    let known = known_until(1, 1, 9);
    sessions.put(token(1), &known, sessions.now());
    sessions.used(&use_of(&known.session, 1, 5));
    let seen = || sessions.get(&token(1)).map(|known| known.session.last_seen_at.as_millis());
    assert_eq!(seen(), Some(5));
    sessions.used(&use_of(&known.session, 1, 3));
    assert_eq!(seen(), Some(5), "never back");
    sessions.invalidate(&[Touch::Session(known.session.id)]);
    sessions.used(&use_of(&known.session, 1, 7));
    assert_eq!(seen(), None);
    sessions.used(&use_of(&known.session, 2, 7));
    assert!(sessions.get(&token(2)).is_none());
}

#[test]
fn the_same_client_is_kept_and_counted_once() {
    let sessions = live();
    let weight = || sessions.entries.as_ref().unwrap().weight();
    let put = |of, agent: &str| {
        let (before, mut known) = (weight(), known(of, 1));
        Arc::make_mut(&mut known.session).user_agent = Some(agent.into());
        sessions.put(token(of), &known, sessions.now());
        assert_eq!(sessions.get(&token(of)), Some(known));
        weight() - before
    };
    let agent = "a".repeat(200);
    let [first, second, third] = [put(1, &agent), put(2, &agent), put(3, "curl/8")];
    assert!(first > second + 200, "{first} {second}");
    assert!(second < third && third < first, "{first} {second} {third}");
    // What is brought up to a use, or read again, goes on counting for the same.
    sessions.used(&use_of(&known(1, 1).session, 1, 1));
    assert_eq!(weight(), first + second + third);
    assert_eq!([put(1, &agent), put(2, &agent), put(3, "curl/8")], [0; 3]);
}

#[test]
fn what_is_found_is_what_was_kept() {
    let mut known = known(1, 1_764_000_000_000);
    let session = Arc::make_mut(&mut known.session);
    session.expires_at = session.created_at.after(LONG);
    session.security_key_id = Some(id(7).parse().unwrap());
    session.factors = Factors::parse("security_key user_verification").unwrap();
    session.user_agent = Some("curl/8".into());
    let user = Arc::make_mut(&mut known.user);
    user.first_name = PersonName::parse("first_name", "Ånn").unwrap();
    (user.role, user.status) = (Role::Admin, Status::Disabled);
    user.email_verified_at = Some(Timestamp::from_millis(i64::MAX));
    let mut other = known.clone();
    let session = Arc::make_mut(&mut other.session);
    (session.state, session.application_id, session.address) = (SessionState::Half, None, None);
    session.last_seen_at = session.created_at.before(LONG);
    for known in [known, other] {
        let sessions = live();
        sessions.put(token(1), &known, sessions.now());
        assert_eq!(sessions.get(&token(1)), Some(known));
    }
}

#[test]
fn a_sign_of_life_is_good_for_its_lease_and_lateness_loses_nothing() {
    let sessions = live();
    sessions.put(token(1), &known(1, 1), sessions.now());
    assert!(sessions.get(&token(1)).is_some());
    // A sign that is as old as its lease is none.
    sessions.renew(Instant::now(), Duration::ZERO);
    assert!(sessions.get(&token(1)).is_none());
    // The channel was late, not away: what it had to say has been heard.
    sessions.renew(Instant::now(), LONG);
    assert!(sessions.get(&token(1)).is_some());
}

#[test]
fn nothing_is_found_or_kept_while_the_channel_is_not_live() {
    let sessions = Sessions::new(1 << 20);
    sessions.put(token(1), &known(1, 1), sessions.now());
    assert!(sessions.get(&token(1)).is_none());
    sessions.renew(Instant::now(), LONG);
    assert!(sessions.get(&token(1)).is_none());
    let before = sessions.now();
    sessions.put(token(1), &known(1, 1), before);
    assert!(sessions.get(&token(1)).is_some());
    sessions.cut();
    assert!(sessions.get(&token(1)).is_none());
    // What happened meanwhile is not known: nothing from before counts, nor what was read before.
    sessions.renew(Instant::now(), LONG);
    assert!(sessions.get(&token(1)).is_none());
    sessions.put(token(1), &known(1, 1), before);
    assert!(sessions.get(&token(1)).is_none());
    sessions.put(token(1), &known(1, 1), sessions.now());
    assert!(sessions.get(&token(1)).is_some());
}

#[test]
fn a_touch_takes_what_it_names_and_nothing_else() {
    for (touch, gone) in [
        (Touch::Session(id(1).parse().unwrap()), [true, false]),
        (Touch::User(id(1001).parse().unwrap()), [true, false]),
        (Touch::Application(id(2001).parse().unwrap()), [true, false]),
        (Touch::Session(id(7).parse().unwrap()), [false, false]),
        (Touch::All, [true, true]),
    ] {
        let sessions = live();
        let before = sessions.now();
        for of in [1, 2] {
            sessions.put(token(of), &known(of, 1), before);
        }
        sessions.invalidate(&[touch]);
        assert_eq!([1, 2].map(|of| sessions.get(&token(of)).is_none()), gone, "{touch:?}");
        // A reading that had begun before comes too late.
        sessions.put(token(1), &known(1, 1), before);
        assert_eq!(sessions.get(&token(1)).is_none(), gone[0], "{touch:?}");
        sessions.put(token(1), &known(1, 2), sessions.now());
        assert!(sessions.get(&token(1)).is_some(), "{touch:?}");
    }
}

#[test]
fn no_room_means_nothing_is_kept() {
    let sessions = Sessions::new(0);
    sessions.renew(Instant::now(), LONG);
    sessions.put(token(1), &known(1, 1), sessions.now());
    assert!(sessions.get(&token(1)).is_none());
}

#[test]
fn the_bound_holds_and_strange_tokens_take_no_room() {
    let sessions = live();
    for of in 0..20_000 {
        sessions.put(token(of), &known(of % 1000, 1), sessions.now());
        assert!(sessions.get(&SecretHash::digest("strange", &of.to_string())).is_none());
    }
    let entries = sessions.entries.as_ref().unwrap();
    assert!(entries.weight() <= 1 << 20, "{}", entries.weight());
    assert!(entries.len() > 500, "{}", entries.len());
}

#[test]
fn what_was_acknowledged_is_never_forgotten_however_reads_and_writes_fall() {
    let sessions = live();
    let (stored, acknowledged) = (AtomicI64::new(0), AtomicI64::new(0));
    let touch = [Touch::Session(id(1).parse().unwrap())];
    let found = AtomicU64::new(0);
    // Until the readers have had their share, on however slow a machine; the pauses between writes are of all lengths.
    const ENOUGH: u64 = 2_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1.. {
                stored.store(version, Ordering::SeqCst);
                sessions.invalidate(&touch);
                acknowledged.store(version, Ordering::SeqCst);
                for _ in 0..version % 300 {
                    std::hint::spin_loop();
                }
                if found.load(Ordering::Relaxed) >= ENOUGH {
                    break;
                }
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while found.load(Ordering::Relaxed) < ENOUGH {
                    let least = acknowledged.load(Ordering::SeqCst);
                    if let Some(known) = sessions.get(&token(1)) {
                        found.fetch_add(1, Ordering::Relaxed);
                        assert!(known.session.last_seen_at >= Timestamp::from_millis(least), "{known:?} after {least}");
                    } else {
                        let moment = sessions.now();
                        let read = stored.load(Ordering::SeqCst);
                        sessions.put(token(1), &known(1, read), moment);
                    }
                }
            });
        }
    });
}
