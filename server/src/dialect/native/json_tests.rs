use proptest::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::write;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    One,
    TwoWords,
}

#[derive(Debug, Clone, Serialize)]
struct Name(String);

#[derive(Debug, Clone, Serialize)]
struct Inner {
    text: String,
    letter: char,
    word: Word,
    name: Name,
    nothing: (),
}

#[derive(Debug, Clone, Serialize)]
struct Outer {
    #[serde(flatten)]
    inner: Inner,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u8>,
    truth: Option<bool>,
    numbers: (),
    list: Vec<Inner>,
    small: u8,
    large: u64,
    less: i64,
    mixed: Value,
}

/// Numbers are whole on this wire.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let map = proptest::collection::btree_map(any::<String>(), inner, 0..4);
        prop_oneof![list, map.prop_map(|map| Value::Object(map.into_iter().collect()))]
    })
}

prop_compose! {
    fn inner()(text in any::<String>(), letter in any::<char>(), one in any::<bool>(), name in any::<String>()) -> Inner {
        let word = if one { Word::One } else { Word::TwoWords };
        Inner { text, letter, word, name: Name(name), nothing: () }
    }
}

prop_compose! {
    fn outer()(
        inner in inner(), left_out in any::<Option<u8>>(), truth in any::<Option<bool>>(),
        list in proptest::collection::vec(inner(), 0..3), small in any::<u8>(), large in any::<u64>(), less in any::<i64>(),
        mixed in value(),
    ) -> Outer {
        Outer { inner, left_out, truth, numbers: (), list, small, large, less, mixed }
    }
}

proptest! {
    #[test]
    fn is_written_as_everywhere_else(outer in outer()) {
        let mut text = b"before".to_vec();
        write(&mut text, &outer).expect("a shape that the wire has");
        prop_assert_eq!(&text[6..], serde_json::to_vec(&outer).expect("JSON"));
    }
}

#[test]
fn every_character_is_written_as_everywhere_else() {
    for c in (0..0x300).filter_map(char::from_u32) {
        // At every place of a text of every length: eight bytes are looked at together.
        for (before, after) in (0..20).flat_map(|before| (0..10).map(move |after| (before, after))) {
            let whole = format!("{}{c}{}", "a".repeat(before), "é".repeat(after));
            let mut text = Vec::new();
            write(&mut text, &whole).expect("a text");
            assert_eq!(text, serde_json::to_vec(&whole).expect("JSON"));
        }
    }
}

#[test]
fn what_the_wire_does_not_have_is_refused() {
    #[derive(Serialize)]
    struct Empty;
    #[derive(Serialize)]
    enum Variant {
        Pair(u8, u8),
        Single(u8),
        Members { a: u8 },
    }
    let numbered = std::collections::BTreeMap::from([(1, 2)]);
    let refused = [
        write(&mut Vec::new(), &1.5),
        write(&mut Vec::new(), &1.5_f32),
        write(&mut Vec::new(), &(1, 2)),
        write(&mut Vec::new(), &Empty),
        write(&mut Vec::new(), &Variant::Pair(1, 2)),
        write(&mut Vec::new(), &Variant::Single(1)),
        write(&mut Vec::new(), &Variant::Members { a: 1 }),
        write(&mut Vec::new(), &numbered),
    ];
    for outcome in refused {
        let error = outcome.expect_err("no such shape");
        assert!(error.to_string().starts_with("cannot be written as JSON: "), "{error}");
    }
}
