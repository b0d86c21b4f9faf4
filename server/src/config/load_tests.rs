use super::*;

fn input(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> (tempfile::TempDir, Input) {
    let folder = tempfile::tempdir().expect("a folder");
    if !file.is_empty() {
        std::fs::write(folder.path().join(FILE), file).expect("written");
    }
    let input = Input {
        file: None,
        folder: folder.path().to_owned(),
        environment: environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        flags: flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    (folder, input)
}

fn refused(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
    let (folder, input) = input(file, environment, flags);
    let text = load(&input).expect_err("refused").to_string();
    assert!(!text.contains('\n'), "{text}");
    text.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn nothing_is_the_defaults() {
    let (_folder, input) = input("", &[("PATH", "/bin"), ("DOORWARDEN", "x")], &[]);
    let loaded = load(&input).expect("loads");
    assert_eq!(loaded.config.origin().origin(), "http://localhost:8080");
    assert_eq!(loaded.config.database().to_string(), "sqlite://./data/doorward.db");
    assert_eq!(loaded.config.drain(), std::time::Duration::from_secs(1));
    assert!(loaded.places.is_empty() && loaded.file.is_none());
}

#[test]
fn the_higher_layer_wins() {
    let file = "listen = '127.0.0.1:1'\nshutdown_grace = '1s'\nmax_body_bytes = 0x1000\n[limits]\nenabled = false\nsignin_account = { burst = 3 }\n[proxies]\ntrusted = ['10.0.0.0/8']";
    let environment = [
        ("DOORWARD_LISTEN", "127.0.0.1:2"),
        ("DOORWARD_SHUTDOWN_GRACE", "2s"),
        ("DOORWARD_SMTP_URL", ""),
        ("DOORWARD_LIMITS__SIGNIN_ACCOUNT__PER", "1m"),
    ];
    let (_folder, input) = input(file, &environment, &[("listen", "127.0.0.1:3")]);
    let Loaded { config, places, .. } = load(&input).expect("loads");
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.origin().origin(), "http://localhost:3");
    assert_eq!(config.shutdown_grace.to_string(), "2s");
    assert_eq!(config.max_body_bytes, 4096);
    assert!(config.smtp_url.is_none() && !config.limits.enabled);
    assert_eq!((config.limits.signin_account.burst, config.limits.signin_account.per.to_string()), (3, "1m".to_owned()));
    assert!(config.proxies.trusted.contains("10.9.9.9".parse().expect("an address")));
    assert_eq!(places["listen"], Place::Flag("listen".to_owned()));
    assert!(matches!(&places["limits.enabled"], Place::File(_, 5)));
}

#[test]
fn complaints_name_key_place_and_mend() {
    for (file, environment, flags, text) in [
        (
            "\nlisten = 'x'",
            None,
            None,
            "listen (doorward.toml, line 2): expected an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"",
        ),
        (
            "[limits]\nenabeld = true",
            None,
            None,
            "limits.enabeld (doorward.toml, line 2): unknown key; did you mean limits.enabled?",
        ),
        ("[limits]\nenabled = 'true'", None, None, "limits.enabled (doorward.toml, line 2): expected true or false"),
        ("limits = 3", None, None, "limits (doorward.toml, line 1): this is a section, not a value"),
        ("[limit]", None, None, "limit (doorward.toml, line 1): unknown key; did you mean limits?"),
        (
            "[limits.signin_account]\nburst = -1",
            None,
            None,
            "limits.signin_account.burst (doorward.toml, line 2): expected a whole number, not negative",
        ),
        (
            "listen = {a = 1}",
            None,
            None,
            "listen (doorward.toml, line 1): expected an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"",
        ),
        ("\"a\\nb\" = 1", None, None, "a\\nb (doorward.toml, line 1): unknown key; `doorward config show` lists all"),
        ("data_dir = 'a'\ndata_dir = 'b'", None, None, "doorward.toml, line 2: this is not TOML: duplicate key"),
        (
            "",
            Some(("DOORWARD_PUBLIC_URL", "localhost")),
            None,
            "public_url (environment variable DOORWARD_PUBLIC_URL): expected an http or https URL with a host and no path, query or user, such as \"https://login.example.org\"",
        ),
        (
            "",
            Some(("DOORWARD_LIMITS_ENABLED", "no")),
            None,
            "limits_enabled (environment variable DOORWARD_LIMITS_ENABLED): unknown key; did you mean DOORWARD_LIMITS__ENABLED?",
        ),
        (
            "",
            Some(("DOORWARD_SMTP_URL", "hunter2")),
            None,
            "smtp_url (environment variable DOORWARD_SMTP_URL): expected \"smtp://host:25\", \"smtp+starttls://user:password@host:587\" or \"smtps://user:password@host:465\", with special characters of the password percent-encoded",
        ),
        (
            "",
            Some(("DOORWARD_DATABASE_URL", "mysql://u:hunter2@h/d")),
            None,
            "database_url (environment variable DOORWARD_DATABASE_URL): expected sqlite:// and a path, such as \"sqlite:///var/lib/doorward/doorward.db\", or \"postgres://user:password@host:5432/database\", with special characters of the password percent-encoded",
        ),
        (
            "",
            None,
            Some(("shutdown_grace", "10")),
            "shutdown_grace (flag --shutdown-grace): expected a number with a unit (ms, s, m, h, d, w), such as \"10m\"",
        ),
        ("[passwords]\nmin_length = 4", None, None, "passwords.min_length (doorward.toml, line 2): must be from 8 to 64"),
        (
            "",
            Some(("DOORWARD_PROXIES__TRUSTED", "0.0.0.0/0")),
            None,
            "proxies.trusted (environment variable DOORWARD_PROXIES__TRUSTED): a network of all addresses would let anybody name any address; name your proxies' own networks",
        ),
        (
            "[forward]\nsign_in_path = '/sign-in'",
            None,
            None,
            "forward.sign_in_path (doorward.toml, line 2): needs proxies.trusted: only your own proxies are believed what a browser asked for",
        ),
        (
            "[limits.signin_account]\nburst = 1",
            None,
            None,
            "limits.signin_account.burst (doorward.toml, line 2): must be from 2 to 1000000: half is for the username, half for the e-mail address",
        ),
        (
            "[limits.mail_network]\nburst = 0",
            None,
            None,
            "limits.mail_network.burst (doorward.toml, line 2): must be from 1 to 1000000",
        ),
        (
            "[sessions]\nabsolute = '1h'",
            None,
            None,
            "sessions.absolute (doorward.toml, line 2): must not be shorter than sessions.idle",
        ),
        (
            "",
            Some(("DOORWARD_CONFIG", "/nonexistent/x.toml")),
            None,
            "/nonexistent/x.toml (--config or DOORWARD_CONFIG): there is no such file; name one that exists",
        ),
    ] {
        assert_eq!(refused(file, environment.as_slice(), flags.as_slice()), text);
    }
}
