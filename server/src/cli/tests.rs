use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn what_is_understood() {
    for line in [
        "doorward serve --listen 127.0.0.1:0 --public-url https://x.example --data-dir d --database-url sqlite://d/x.db",
        "doorward --config x.toml --json user list --limit 200 --after 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward user create --email a@b.c --username a --first-name A --last-name B --admin --unverified --password-stdin --json",
        "doorward user create --email a@b.c --username a --no-password",
        "doorward user list --search a",
        "doorward user show a",
        "doorward user disable a@b.c",
        "doorward user enable a",
        "doorward user delete a --yes",
        "doorward user set-password a --password-stdin",
        "doorward invitation create a@b.c --role admin --expires 7d --json",
        "doorward invitation list",
        "doorward invitation revoke 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward app create name --allow-network 10.0.0.0/8 --allow-network ::1 --one-time-token-suffices",
        "doorward app list",
        "doorward app rotate 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward app limit 01890a5d-ac96-774b-bcce-b302099a8057 --allow-network 10.0.0.0/8 --allow-network ::1",
        "doorward app limit 01890a5d-ac96-774b-bcce-b302099a8057 --anywhere",
        "doorward app revoke 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward session list --user a",
        "doorward session revoke 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward session revoke --user a",
        "doorward mail list --limit 1",
        "doorward mail show 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward mail retry 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward audit list --user a --limit 3",
        "doorward audit list --event sign_in",
        "doorward audit list --user a --event sign_in --since 2026-11-23T17:00:00Z",
        "doorward migrate",
        "doorward migrate --plan --json",
        "doorward copy --from sqlite://a.db --to postgres://u@h/d",
        "doorward copy --to-env TARGET",
        "doorward backup b.db",
        "doorward restore b.db --force",
        "doorward config check --limits-enabled false",
        "doorward config show --json",
        "doorward config example",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn what_is_not() {
    for line in [
        "doorward",
        "doorward serve now",
        "doorward serve --limit-enabled false",
        "doorward user",
        "doorward user create --email a@b.c",
        "doorward user create --email nobody --username a",
        "doorward user create --email a@b.c --username a@b.c",
        "doorward user create --email a@b.c --username a --password secret",
        "doorward user create --email a@b.c --username a --password-stdin --no-password",
        "doorward user list --search a --limit 3",
        "doorward user list --limit 0",
        "doorward user list --limit 201",
        "doorward user list --after x",
        "doorward invitation create",
        "doorward invitation create a@b.c --role owner",
        "doorward invitation create a@b.c --expires 7",
        "doorward invitation create a@b.c --expires 0d",
        "doorward invitation revoke x",
        "doorward app create a --allow-network nowhere",
        "doorward app limit 01890a5d-ac96-774b-bcce-b302099a8057",
        "doorward app limit 01890a5d-ac96-774b-bcce-b302099a8057 --anywhere --allow-network ::1",
        "doorward session revoke",
        "doorward session revoke 01890a5d-ac96-774b-bcce-b302099a8057 --user a",
        "doorward audit list --since yesterday",
        "doorward mail show",
        "doorward copy --from sqlite://a.db",
        "doorward copy --to sqlite://a.db --to-env TARGET",
        "doorward backup",
        "doorward restore",
    ] {
        let refused = parse(line).err().unwrap_or_else(|| panic!("understood: {line}"));
        assert_eq!(refused.exit_code(), 2, "{line}");
    }
}

#[test]
fn every_key_is_a_flag_before_and_after_the_command() {
    for line in ["doorward --limits-signin-account-burst 3 config show", "doorward config show --limits-signin-account-burst 3"] {
        let loaded = parse(line).expect(line).settings.load().expect("loads");
        assert_eq!(loaded.config.limits.signin_account.burst, 3, "{line}");
    }
    let refused = parse("doorward serve --shutdown-grace 5").expect("parses").settings.load().expect_err("refused");
    let Failure::Usage(text) = refused else { panic!("{refused:?}") };
    assert!(text.starts_with("shutdown_grace (flag --shutdown-grace): expected "), "{text}");
}
