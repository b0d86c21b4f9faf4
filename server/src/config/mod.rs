//! The configuration: one documented struct, filled from defaults, then a file, then the environment, then flags.
//!
//! The doc comments of the keys are for the operator: `doorward.example.toml` is made of them.

pub mod duration;
pub mod forward;
pub mod kinds;
pub mod load;
pub mod setting;
pub mod url;

mod check;
mod section;
mod show;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;

use duration::Span;
use forward::{Origins, PagePath};
use kinds::{ForwardedHeader, LogFilter, LogFormat, Networks, ServiceName};
use section::section;
use url::{DatabaseUrl, PublicUrl, SmtpUrl};

use crate::locale::Language;

pub use load::{ConfigError, Input, Loaded, load};
pub use show::example;

section! {
    /// Everything that an operator can set.
    Config {
        /// Where the server listens: an IP address and a port.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        /// The URL under which people and programs reach the server: http or https, a host, perhaps a port. Links, cookies
        /// and security keys depend on it. Empty: http://localhost with the port of `listen`.
        public_url: Option<PublicUrl> = None;
        /// The folder for the database and, without a mail server, the mails. Made if it is missing.
        data_dir: PathBuf = "./data".into();
        /// The database: sqlite:// and the path of a file, or (secret) postgres://user:password@host:5432/database, with several
        /// hosts host1:5432,host2:5432 for failover, and ?sslmode=disable, require or verify-full (with sslrootcert=FILE).
        /// Empty: doorward.db in `data_dir`.
        database_url: Option<DatabaseUrl> = None;
        /// The mail server (secret): smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465.
        /// Empty: every mail becomes a file in the folder `mail` of `data_dir`.
        smtp_url: Option<SmtpUrl> = None;
        /// The name of this service, shown in mails, in error answers and by browsers that register a security key.
        service_name: ServiceName = ServiceName::default();
        /// The language of mails, and of pages for browsers that ask for none of those that there are: "en" or "de".
        language: Language = Language::default();
        /// Where Prometheus metrics are served, on a listener of their own. Empty: nowhere.
        metrics_listen: Option<SocketAddr> = None;
        /// How long the end may take once the server has been told to stop: requests in flight are finished within it.
        shutdown_grace: Span = Span::seconds(10);
        /// How much of `shutdown_grace` the server still accepts requests for after SIGTERM, while /health/ready says 503, so that
        /// load balancers turn away first. Ctrl-C does without. Empty: a tenth of `shutdown_grace`.
        shutdown_drain: Option<Span> = None;
        /// How long one request may take.
        request_timeout: Span = Span::seconds(10);
        /// The largest request body that is read, in bytes.
        max_body_bytes: usize = 65_536;
        /// How a PostgreSQL server is used.
        database: Database = Database::default();
        /// Mail.
        mail: Mail = Mail::default();
        /// The APIs that are served, each of which can be switched off.
        dialects: Dialects = Dialects::default();
        /// The ways to sign in.
        methods: Methods = Methods::default();
        /// Administrators: what is asked of them.
        administrators: Administrators = Administrators::default();
        /// Passwords: how they are hashed and what is asked of a new one.
        passwords: Passwords = Passwords::default();
        /// How long a session lives.
        sessions: Sessions = Sessions::default();
        /// How long one-time secrets are good for.
        tickets: Tickets = Tickets::default();
        /// Limits on tries and on mails. Of each: `burst` may come at once, and a spent burst has come back after `per`.
        limits: Limits = Limits::default();
        /// Reverse proxies in front of the server.
        proxies: Proxies = Proxies::default();
        /// Forward authentication: what proxies are told that ask at /auth/v1/forward whether a request may pass.
        forward: Forward = Forward::default();
        /// Log lines, written to standard error.
        log: Log = Log::default();
        /// The texts of mails and pages.
        templates: Templates = Templates::default();
    }
}

section! {
    /// How a PostgreSQL server is used; of no effect on SQLite.
    Database {
        /// The most connections that this process holds.
        pool_size: usize = 16;
        /// How long a call waits for one of them; then it is answered that the server is busy.
        acquire_timeout: Span = Span::seconds(2);
        /// How long a statement, and a transaction as a whole, may take.
        statement_timeout: Span = Span::seconds(5);
        /// Whether a pooler in transaction mode (PgBouncer) is between: then nothing is prepared or set on a connection.
        pooler: bool = false;
    }
}

section! {
    /// Mail.
    Mail {
        /// Whom mails come from. Empty: `no-reply` at the host of `public_url`, under the service's name.
        from: Option<Mailbox> = None;
        /// Where answers go. Empty: to `from`.
        reply_to: Option<Mailbox> = None;
        /// Whether mails that are files are shown at /dev/mail, to browsers on this machine. Of no effect where `smtp_url` is set, or
        /// `listen` or `public_url` is no loopback address. Everybody with an account on this machine can read them there.
        mailbox: bool = true;
    }
}

section! {
    /// The APIs that are served.
    Dialects {
        /// Doorward's own, at /auth/v1 and /admin/v1.
        native: bool = true;
        /// Kalshi, at /v1 and /trade-api/v2.
        kalshi: bool = true;
        /// Kraken, at /api/v1/auth.
        kraken: bool = true;
        /// Kestra, at /login and /api/v1.
        kestra: bool = true;
        /// Kotak, at /apim.
        kotak: bool = true;
    }
}

section! {
    /// The ways to sign in.
    Methods {
        /// With a password.
        password: bool = true;
        /// With a short code that is mailed, instead of a password.
        email_code: bool = true;
    }
}

section! {
    /// Administrators.
    Administrators {
        /// Whether all of them must have proven a second factor to act as such. Off: those who have one must, the others need none.
        second_factor: bool = false;
    }
}

section! {
    /// Passwords.
    Passwords {
        /// Argon2id: memory of one hash, in KiB.
        memory_kib: u32 = 19_456;
        /// Argon2id: passes over the memory.
        iterations: u32 = 2;
        /// Argon2id: lanes.
        parallelism: u32 = 1;
        /// The fewest characters of a new password.
        min_length: usize = 8;
        /// The most characters of a password.
        max_length: usize = 256;
        /// How hard to guess a new password must be in zxcvbn's judgement, 0 (anything goes) to 4.
        min_score: u8 = 3;
        /// Threads that hash; each holds `memory_kib` while it works. 0: one for each core.
        threads: usize = 0;
        /// Hashes that may wait for a thread; what comes on top is told to try again later.
        queue: usize = 64;
    }
}

section! {
    /// Sessions.
    Sessions {
        /// A session that is not used for so long ends.
        idle: Span = Span::hours(24);
        /// A session ends so long after signing in, used or not.
        absolute: Span = Span::days(30);
        /// A session that still owes its second factor ends after so long.
        half: Span = Span::minutes(10);
        /// Changing a password or a second factor, and what is dangerous as an administrator, asks for a sign-in that is not older than this.
        recent: Span = Span::minutes(15);
        /// Memory for sessions that are in use, in MiB: their checks do not ask the database. 0: none.
        cache_mib: u32 = 64;
    }
}

section! {
    /// One-time secrets.
    Tickets {
        /// The link that resets a password.
        recovery: Span = Span::hours(1);
        /// A mailed code.
        code: Span = Span::minutes(10);
        /// The one-time token between the two steps of signing in at Kotak.
        one_time_token: Span = Span::minutes(5);
        /// The challenge to a security key.
        challenge: Span = Span::minutes(5);
        /// An invitation that names no other time.
        invitation: Span = Span::days(7);
    }
}

section! {
    /// Limits.
    Limits {
        /// Whether there are any. Off is for tests; a code's own five tries hold all the same.
        enabled: bool = true;
        /// Failed tries to sign in to one account: half of them for its username, half for its e-mail address. 10 are 5 and 5; an odd one
        /// is lost. Names that nobody has are limited alike.
        signin_account: Rate = Rate { burst: 10, per: Span::minutes(15) };
        /// Failed tries from one network (an IPv4 address, an IPv6 /64): to sign in, and of links, invitations and applications.
        signin_network: Rate = Rate { burst: 100, per: Span::minutes(15) };
        /// Failed tries of one account's second factor.
        second_factor_account: Rate = Rate { burst: 5, per: Span::minutes(15) };
        /// Mails that anybody can cause: asked for under one name, and in all to one user. Access codes mailed to one user, by themselves.
        mail_address: Rate = Rate { burst: 5, per: Span::hours(1) };
        /// Mails that anybody can cause, asked for from one network.
        mail_network: Rate = Rate { burst: 60, per: Span::hours(1) };
    }
}

section! {
    /// A limit.
    Rate {
        /// How many may come at once.
        burst: u32 = 10;
        /// After how long a spent burst has come back in full.
        per: Span = Span::minutes(15);
    }
}

section! {
    /// Reverse proxies.
    Proxies {
        /// The networks of your own proxies, in CIDR form. Only to what comes from them is the header below believed.
        trusted: Networks = Networks::default();
        /// The header into which they write the client's address: "x-forwarded-for" or "forwarded".
        header: ForwardedHeader = ForwardedHeader::default();
    }
}

section! {
    /// Forward authentication.
    Forward {
        /// The path of the page at `public_url` that signs people in: "/sign-in" is Doorward's own. Browsers without a session are sent
        /// there, with the URL that they wanted in the query's `return_to`. Needs `proxies.trusted`. Empty: they are refused as programs are.
        sign_in_path: Option<PagePath> = None;
        /// The origins, besides that of `public_url`, to which `return_to` may lead, also from Doorward's own sign-in page: scheme, host and
        /// port of apps, such as those at other ports of its host.
        return_to: Origins = Origins::default();
    }
}

section! {
    /// Logging.
    Log {
        /// "text", "json" or "auto": text if standard error is a terminal, JSON otherwise.
        format: LogFormat = LogFormat::default();
        /// Which lines are written: a level, or directives such as "info,doorward::access=off".
        filter: LogFilter = LogFilter::default();
    }
}

section! {
    /// Templates.
    Templates {
        /// A folder whose files replace the built-in ones of the same name. Empty: none.
        dir: Option<PathBuf> = None;
    }
}

impl Config {
    /// The public URL: as configured, or `localhost` with the port of `listen`.
    #[must_use]
    pub fn origin(&self) -> PublicUrl {
        self.public_url.clone().unwrap_or_else(|| PublicUrl::localhost(self.listen.port()))
    }

    /// The folder for mails that are files.
    #[must_use]
    pub fn mail_folder(&self) -> PathBuf {
        self.data_dir.join("mail")
    }

    /// Whether there is a mailbox at `/dev/mail`: only where all that reaches the server, and all that it is reached by, is this machine.
    #[must_use]
    pub fn has_mailbox(&self) -> bool {
        let here = self.listen.ip().to_canonical().is_loopback() && self.origin().is_loopback();
        here && self.smtp_url.is_none() && self.mail.mailbox
    }

    /// The drain: as configured, or a tenth of the grace.
    #[must_use]
    pub fn drain(&self) -> Duration {
        self.shutdown_drain.map_or_else(|| self.shutdown_grace.get() / 10, Span::get)
    }

    /// The database: as configured, or `doorward.db` in the data folder.
    #[must_use]
    pub fn database(&self) -> DatabaseUrl {
        self.database_url.clone().unwrap_or_else(|| DatabaseUrl::Sqlite(self.data_dir.join("doorward.db")))
    }
}
