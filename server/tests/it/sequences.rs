//! Sequences: any order of any steps, by one person with three tokens in hand, against a model of what each is worth.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::app::{ORIGIN, OTHER_PASSWORD, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::reply::Ask;
use super::wires;

/// Tokens that the person holds.
const SLOTS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    SignIn {
        slot: usize,
        right: bool,
    },
    SignOut {
        slot: usize,
    },
    /// Asks for a challenge in one session and answers it in another, with a good or a bad signature.
    SecondFactor {
        asks: usize,
        answers: usize,
        good: bool,
    },
    /// Answers without a challenge of its own.
    AnswerAgain {
        slot: usize,
    },
    RegisterKey {
        slot: usize,
    },
    RemoveKey {
        slot: usize,
    },
    EndOthers {
        slot: usize,
    },
    ChangePassword {
        slot: usize,
        right: bool,
    },
    Recover,
    Wait {
        minutes: u64,
    },
    Disable,
    Enable,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        6 => (slot.clone(), prop::bool::weighted(0.8)).prop_map(|(slot, right)| Step::SignIn { slot, right }),
        1 => slot.clone().prop_map(|slot| Step::SignOut { slot }),
        5 => (slot.clone(), slot.clone(), prop::bool::weighted(0.8)).prop_map(|(asks, answers, good)| Step::SecondFactor { asks, answers, good }),
        1 => slot.clone().prop_map(|slot| Step::AnswerAgain { slot }),
        3 => slot.clone().prop_map(|slot| Step::RegisterKey { slot }),
        1 => slot.clone().prop_map(|slot| Step::RemoveKey { slot }),
        1 => slot.clone().prop_map(|slot| Step::EndOthers { slot }),
        2 => (slot, any::<bool>()).prop_map(|(slot, right)| Step::ChangePassword { slot, right }),
        1 => Just(Step::Recover),
        2 => (1..12_u64).prop_map(|minutes| Step::Wait { minutes }),
        1 => Just(Step::Disable),
        1 => Just(Step::Enable),
    ]
}

/// What a token ought to be worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    Nothing,
    Half { until: u64 },
    Full { with_key: bool, proven_at: u64 },
}

/// The model: what the rules say, in as few words as they can be said.
#[derive(Debug)]
struct Model {
    minute: u64,
    tokens: [Worth; SLOTS],
    has_key: bool,
    disabled: bool,
    password: &'static str,
}

impl Model {
    fn worth(&self, slot: usize) -> Worth {
        match self.tokens[slot] {
            Worth::Half { until } if self.minute >= until => Worth::Nothing,
            worth => worth,
        }
    }

    fn recent(&self, proven_at: u64) -> bool {
        self.minute - proven_at <= 15
    }
}

struct World {
    app: TestApp,
    model: Model,
    tokens: [String; SLOTS],
    key: Authenticator,
    last_answer: Option<serde_json::Value>,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        app.user("ann").await;
        let model = Model { minute: 0, tokens: [Worth::Nothing; SLOTS], has_key: false, disabled: false, password: PASSWORD };
        Self { app, model, tokens: [const { String::new() }; SLOTS], key: Authenticator::new(5, ORIGIN), last_answer: None }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::SignIn { slot, right } => self.sign_in(slot, right).await,
            Step::SignOut { slot } => {
                let status = self.app.send(Ask::delete("/auth/v1/session").bearer(&self.tokens[slot])).await.status;
                assert_eq!(status.is_success(), self.model.worth(slot) != Worth::Nothing);
                self.model.tokens[slot] = Worth::Nothing;
            }
            Step::SecondFactor { asks, answers, good } => self.second_factor(asks, answers, good).await,
            Step::AnswerAgain { slot } => {
                let Some(answer) = self.last_answer.clone() else { return };
                let body = json!({"credential": answer});
                let reply = self.app.send(Ask::post("/auth/v1/second-factor").bearer(&self.tokens[slot]).json(&body)).await;
                assert!(reply.status.is_client_error(), "an answer was taken twice");
            }
            Step::RegisterKey { slot } => self.register(slot).await,
            Step::RemoveKey { slot } => self.remove(slot).await,
            Step::EndOthers { slot } => {
                let status = self.app.send(Ask::delete("/auth/v1/sessions").bearer(&self.tokens[slot])).await.status;
                let may = matches!(self.model.worth(slot), Worth::Full { .. });
                assert_eq!(status.is_success(), may);
                if may {
                    self.forget_all_but(Some(slot));
                }
            }
            Step::ChangePassword { slot, right } => self.change_password(slot, right).await,
            Step::Recover => self.recover().await,
            Step::Wait { minutes } => {
                self.app.advance(Duration::from_secs(60 * minutes));
                self.model.minute += minutes;
            }
            Step::Disable => self.set_status(true).await,
            Step::Enable => self.set_status(false).await,
        }
    }

    fn forget_all_but(&mut self, kept: Option<usize>) {
        for slot in (0..SLOTS).filter(|slot| Some(*slot) != kept) {
            self.model.tokens[slot] = Worth::Nothing;
        }
    }

    async fn sign_in(&mut self, slot: usize, right: bool) {
        let other = if self.model.password == PASSWORD { OTHER_PASSWORD } else { PASSWORD };
        let reply = self.app.sign_in("ann", if right { self.model.password } else { other }).await;
        assert_eq!(reply.status.is_success(), right && !self.model.disabled, "{}", reply.snapshot());
        if reply.status.is_success() {
            self.tokens[slot] = reply.at("/token");
            let minute = self.model.minute;
            self.model.tokens[slot] = if self.model.has_key {
                Worth::Half { until: minute + 10 }
            } else {
                Worth::Full { with_key: false, proven_at: minute }
            };
        }
    }

    async fn second_factor(&mut self, asks: usize, answers: usize, good: bool) {
        let started = self.app.send(Ask::post("/auth/v1/second-factor/start").bearer(&self.tokens[asks])).await;
        let live = self.model.worth(asks) != Worth::Nothing;
        assert_eq!(started.status.is_success(), live && self.model.has_key, "{}", started.snapshot());
        if !started.status.is_success() {
            return;
        }
        let mut answer = self.key.get(&started.json());
        if !good {
            answer["response"]["signature"] = json!("MEUCIQDx");
        }
        let ask = Ask::post("/auth/v1/second-factor").bearer(&self.tokens[answers]).json(&json!({"credential": answer}));
        let reply = self.app.send(ask).await;
        let same = self.tokens[asks] == self.tokens[answers];
        if same {
            // Given in another session, it spends nothing: the one that asked may still answer.
            self.last_answer = Some(answer);
        }
        assert_eq!(reply.status.is_success(), good && same, "{}", reply.snapshot());
        if reply.status.is_success() {
            for slot in (0..SLOTS).filter(|slot| self.tokens[*slot] == self.tokens[asks]) {
                self.model.tokens[slot] = Worth::Nothing;
            }
            self.tokens[asks] = reply.at("/token");
            self.model.tokens[asks] = Worth::Full { with_key: true, proven_at: self.model.minute };
        }
    }

    async fn register(&mut self, slot: usize) {
        let name = format!("key of minute {}", self.model.minute);
        let started = self.app.send(Ask::post("/api/v1/auth/startRegister").cookie("doorward", &self.tokens[slot])).await;
        let may = match self.model.worth(slot) {
            Worth::Full { with_key, proven_at } => (with_key || !self.model.has_key) && self.model.recent(proven_at),
            Worth::Half { .. } | Worth::Nothing => false,
        };
        assert_eq!(started.status.is_success(), may, "{}", started.snapshot());
        if may && !self.model.has_key {
            self.key = Authenticator::new(5 + u8::try_from(self.model.minute % 200).unwrap(), ORIGIN);
            wires::kraken_register(&self.app, &self.tokens[slot], &name, &mut self.key).await.expect(200);
            self.model.has_key = true;
            // Whoever has the password alone is asked for the key from now on; but not who has just shown to have it.
            let until = self.model.minute + 10;
            for other in (0..SLOTS).filter(|other| self.tokens[*other] != self.tokens[slot]) {
                if matches!(self.model.worth(other), Worth::Full { .. }) {
                    self.model.tokens[other] = Worth::Half { until };
                }
            }
        }
    }

    async fn remove(&mut self, slot: usize) {
        let listed = self.app.send(Ask::get("/auth/v1/keys").bearer(&self.tokens[slot])).await;
        let may = match self.model.worth(slot) {
            Worth::Full { with_key, proven_at } => with_key && self.model.has_key && self.model.recent(proven_at),
            Worth::Half { .. } | Worth::Nothing => false,
        };
        let id = listed.status.is_success().then(|| listed.json()).and_then(|list| {
            let items = list.get("items").cloned().unwrap_or(list);
            items.get(0).and_then(|key| key["id"].as_str().map(str::to_owned))
        });
        let id = id.unwrap_or_else(|| "019b0000-0000-7000-8000-000000000000".to_owned());
        let removed = self.app.send(Ask::delete(format!("/auth/v1/keys/{id}")).bearer(&self.tokens[slot])).await;
        assert_eq!(removed.status.is_success(), may, "{}", removed.snapshot());
        if may {
            self.model.has_key = false;
            for worth in &mut self.model.tokens {
                if let Worth::Full { with_key, .. } = worth {
                    *with_key = false;
                }
            }
        }
    }

    async fn change_password(&mut self, slot: usize, right: bool) {
        let other = if self.model.password == PASSWORD { OTHER_PASSWORD } else { PASSWORD };
        let current = if right { self.model.password } else { other };
        let body = json!({"current_password": current, "new_password": other});
        let reply = self.app.send(Ask::post("/auth/v1/password").bearer(&self.tokens[slot]).json(&body)).await;
        let may = right
            && match self.model.worth(slot) {
                Worth::Full { with_key, proven_at } => (with_key || !self.model.has_key) && self.model.recent(proven_at),
                Worth::Half { .. } | Worth::Nothing => false,
            };
        assert_eq!(reply.status.is_success(), may, "{}", reply.snapshot());
        if may {
            let worth = self.model.worth(slot);
            self.forget_all_but(None);
            self.tokens[slot] = reply.at("/token");
            self.model.password = other;
            self.model.tokens[slot] = match worth {
                Worth::Full { with_key, .. } => Worth::Full { with_key, proven_at: self.model.minute },
                worth => worth,
            };
        }
    }

    async fn recover(&mut self) {
        let other = if self.model.password == PASSWORD { OTHER_PASSWORD } else { PASSWORD };
        let began = self.app.now();
        let before = self.app.mails("ann@example.com").await.len();
        self.app.send(Ask::get("/api/v1/forgotten-password?username=ann")).await.expect(200);
        let mails = self.app.mails("ann@example.com").await;
        assert_eq!(mails.len() > before, !self.model.disabled);
        // The model counts whole minutes.
        self.app.advance(Duration::from_secs(60) - self.app.now().since(began));
        self.model.minute += 1;
        let Some(token) = mails.last().filter(|_| mails.len() > before).and_then(|mail| mail.query("token")) else { return };
        self.app.send(Ask::post("/api/v1/reset-password").json(&json!({"token": token, "password": other}))).await.expect(200);
        self.model.password = other;
        self.forget_all_but(None);
    }

    async fn set_status(&mut self, disabled: bool) {
        use doorward::core::flows::{authority::Authority, users};
        let (core, call, operator) = (self.app.core(), self.app.call(), Authority::operator());
        if disabled {
            users::disable(core, &call, operator, "ann").await.unwrap();
            self.forget_all_but(None);
        } else {
            users::enable(core, &call, operator, "ann").await.unwrap();
        }
        self.model.disabled = disabled;
    }

    /// The model and the server agree about every token, in every dialect.
    async fn agree(&self) {
        for slot in 0..SLOTS {
            let full = matches!(self.model.worth(slot), Worth::Full { .. });
            let answers = wires::is_full_everywhere(&self.app, &self.tokens[slot]).await;
            assert!(answers.iter().all(|answer| *answer == full), "token {slot} {:?}: {answers:?}", self.model);
        }
    }
}

#[test]
fn no_order_of_steps_opens_more_than_the_rules_say() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&prop::collection::vec(step(), 1..40), |steps| {
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
                world.agree().await;
            }
        });
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
