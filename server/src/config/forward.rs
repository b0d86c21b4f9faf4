//! What forward authentication is told: where to send people, and back where to.

use super::setting::{Raw, Setting, expected, from_text};
use super::url::PublicUrl;

/// The path of a page at the public URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePath(String);

impl PagePath {
    /// The path; it begins with one slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for PagePath {
    const FORM: &'static str = "a path of letters, digits, hyphens, dots, underscores and slashes, such as \"/sign-in\"";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        from_text(raw, |text| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
            let right = text.starts_with('/')
                && text.bytes().all(plain)
                && !text.contains("//")
                && !text.split('/').any(|segment| matches!(segment, "." | ".."));
            right.then(|| Self(text.to_owned()))
        })
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}

/// Origins (RFC 6454).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<PublicUrl>);

impl Origins {
    /// Whether it is one of them.
    #[must_use]
    pub fn contains(&self, origin: &PublicUrl) -> bool {
        self.0.contains(origin)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &PublicUrl> {
        self.0.iter()
    }
}

impl Setting for Origins {
    const FORM: &'static str = "a list of http or https URLs without a path, such as [\"https://app.example.org\"]";

    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let items = raw.list().ok_or_else(expected::<Self>)?;
        items.into_iter().map(PublicUrl::parse).collect::<Option<_>>().map(Self).ok_or_else(expected::<Self>)
    }

    fn show(&self) -> toml::Value {
        toml::Value::Array(self.0.iter().map(Setting::show).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let read = |text| PagePath::read(&Raw::Text(text));
        for text in ["/", "/sign-in", "/app/sign_in.html", "/a/"] {
            assert_eq!(read(text).expect(text).as_str(), text);
        }
        for text in [
            "",
            "sign-in",
            "//evil.example",
            "/a//b",
            "/../a",
            "/a/.",
            "/a?b",
            "/a#b",
            "/a b",
            "/\\evil",
            "/%2e",
            "https://x/a",
            "/\u{e9}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn origins() {
        let read = |text| Origins::read(&Raw::Text(text));
        let some = read("https://App.example.org:443/, http://localhost:9").expect("origins");
        assert_eq!(some.show().to_string(), r#"["https://app.example.org", "http://localhost:9"]"#);
        for (origin, inside) in
            [("https://app.example.org", true), ("http://app.example.org", false), ("http://localhost:8", false)]
        {
            assert_eq!(some.contains(&PublicUrl::parse(origin).expect(origin)), inside, "{origin}");
        }
        assert_eq!(read(""), Ok(Origins::default()));
        for text in ["*", "app.example.org", "https://app.example.org/a", "https://*.example.org/x"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
