//! A `postgres://` URL: which hosts there are, as whom one comes, and how the line is secured.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode as DriverSslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

use super::tls;

/// How long one host may take to accept a connection, secure it and let us in.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// A connection whose other end says nothing for so long is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// What was sent and not acknowledged for so long ends a connection: the host is gone.
const VANISHED: Duration = Duration::from_secs(5);

/// The hosts of a URL, each to be tried by itself, and the TLS of all.
#[derive(Clone)]
pub(in crate::core) struct Address {
    pub(super) hosts: Vec<Config>,
    /// `None`: in the clear.
    pub(super) tls: Option<MakeRustlsConnect>,
}

/// The parameters that are ours to interpret; the driver reads the others.
#[derive(Default)]
struct Parameters {
    ssl_mode: Option<String>,
    root_certificates: Option<String>,
    others: Vec<(String, String)>,
}

impl Address {
    /// Reads a URL with one host or several.
    ///
    /// # Errors
    /// What is wrong with it and the mend, for the operator; never a part of the URL that may be a secret.
    pub(in crate::core) fn parse(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters = Parameters::parse(query)?;
        let mut config = read_base(base, &parameters.others)?;
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(PATIENCE)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE / 5)
            .keepalives_retries(3)
            .tcp_user_timeout(VANISHED);
        if config.get_application_name().is_none() {
            config.application_name("doorward");
        }
        let near = config.get_hosts().iter().all(is_this_machine);
        let tls = parameters.tls(near)?;
        config.ssl_mode(if tls.is_some() { DriverSslMode::Require } else { DriverSslMode::Disable });
        Ok(Self { hosts: one_by_one(&config), tls })
    }
}

impl Address {
    /// The hosts and the name of the database, which tell it from others.
    pub(in crate::core) fn place(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(super::link::named).collect();
        let first = self.hosts.first();
        let name = first.and_then(|host| host.get_dbname().or_else(|| host.get_user())).unwrap_or_default();
        format!("{}/{name}", hosts.join(","))
    }
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, String> {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("sslmode", _) => read.ssl_mode = Some(value.into_owned()),
                ("sslrootcert", _) => read.root_certificates = Some(value.into_owned()),
                // A server that cannot be written to is of no use here: this is what is done anyway.
                ("target_session_attrs", "read-write" | "primary") => {}
                ("target_session_attrs", _) => return Err("target_session_attrs: expected read-write or primary".to_owned()),
                ("application_name" | "options", _) => read.others.push((name.into_owned(), value.into_owned())),
                (name, _) => {
                    let known = "sslmode, sslrootcert, target_session_attrs, application_name and options";
                    return Err(format!("the parameter {:?} is unknown; expected {known}", printable(name)));
                }
            }
        }
        Ok(read)
    }

    fn tls(&self, near: bool) -> Result<Option<MakeRustlsConnect>, String> {
        let roots = self.root_certificates.as_deref().map(Path::new);
        match self.ssl_mode.as_deref() {
            Some("disable") => Ok(None),
            None if near => Ok(None),
            Some("require") => tls::unverified().map(Some),
            None | Some("verify-full") => tls::verified(roots).map(Some),
            Some(_) => Err("sslmode: expected disable, require or verify-full".to_owned()),
        }
    }
}

fn printable(name: &str) -> String {
    name.chars().take(40).collect()
}

fn read_base(base: &str, others: &[(String, String)]) -> Result<Config, String> {
    // The driver takes what libpq takes; its complaints name parameters and never values.
    let mut config: Config = base.parse().map_err(|error| format!("the URL cannot be read: {error}"))?;
    for (name, value) in others {
        match name.as_str() {
            "application_name" => config.application_name(value),
            _ => config.options(value),
        };
    }
    if config.get_hosts().is_empty() {
        return Err("the URL names no host; expected postgres://user:password@host:5432/database".to_owned());
    }
    if config.get_user().is_none() {
        return Err("the URL names no user; expected postgres://user:password@host:5432/database".to_owned());
    }
    let (hosts, ports) = (config.get_hosts().len(), config.get_ports().len());
    if ports > 1 && ports != hosts {
        return Err("the URL must give each host its port, or all of them one".to_owned());
    }
    Ok(config)
}

/// A host that nobody can listen in on the way to.
fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// One configuration a host: the driver would go through the hosts of one in turn, and wait at each.
fn one_by_one(all: &Config) -> Vec<Config> {
    let mut bare = Config::new();
    bare.ssl_mode(all.get_ssl_mode())
        .target_session_attrs(all.get_target_session_attrs())
        .connect_timeout(PATIENCE)
        .keepalives_idle(all.get_keepalives_idle())
        .tcp_user_timeout(VANISHED);
    if let Some(interval) = all.get_keepalives_interval() {
        bare.keepalives_interval(interval);
    }
    if let Some(retries) = all.get_keepalives_retries() {
        bare.keepalives_retries(retries);
    }
    if let Some(user) = all.get_user() {
        bare.user(user);
    }
    if let Some(password) = all.get_password() {
        bare.password(password);
    }
    if let Some(name) = all.get_dbname() {
        bare.dbname(name);
    }
    if let Some(options) = all.get_options() {
        bare.options(options);
    }
    if let Some(name) = all.get_application_name() {
        bare.application_name(name);
    }
    let port = |index: usize| all.get_ports().get(index).or_else(|| all.get_ports().first()).copied();
    let each = all.get_hosts().iter().enumerate().map(|(index, host)| {
        let mut one = bare.clone();
        match host {
            Host::Tcp(name) => one.host(name),
            #[cfg(unix)]
            Host::Unix(path) => one.host_path(path),
        };
        port(index).map(|port| one.port(port));
        one
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Vec<(Host, Vec<u16>)> {
        let address = Address::parse(url).unwrap();
        address.hosts.iter().map(|host| (host.get_hosts()[0].clone(), host.get_ports().to_vec())).collect()
    }

    #[test]
    fn each_host_has_its_port() {
        let tcp = |name: &str| Host::Tcp(name.to_owned());
        assert_eq!(read("postgres://u@a:1,b:2/d?sslmode=disable"), [(tcp("a"), vec![1]), (tcp("b"), vec![2])]);
        assert_eq!(read("postgresql://u:p@localhost/d"), [(tcp("localhost"), vec![5432])]);
        assert_eq!(read("postgres://u@a,b/d?sslmode=disable"), [(tcp("a"), vec![5432]), (tcp("b"), vec![5432])]);
        let one = Address::parse("postgres://u:p%40@[::1]:7/d?application_name=x&options=-c%20a%3Db").unwrap();
        assert_eq!(one.hosts[0].get_password(), Some(&b"p@"[..]));
        assert_eq!(one.hosts[0].get_application_name(), Some("x"));
        assert_eq!(one.hosts[0].get_options(), Some("-c a=b"));
        assert_eq!(one.hosts[0].get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert!(one.tls.is_none());
    }

    #[test]
    fn the_line_is_secured_unless_it_is_said_or_short() {
        for (url, secured) in [
            ("postgres://u@localhost/d", false),
            ("postgres://u@127.0.0.1/d", false),
            ("postgres://u@%2Frun%2Fpostgresql/d", false),
            ("postgres://u@db.example.org/d?sslmode=disable", false),
            ("postgres://u@localhost,db.example.org/d?sslmode=require", true),
            ("postgres://u@localhost/d?sslmode=require", true),
        ] {
            assert_eq!(Address::parse(url).unwrap().tls.is_some(), secured, "{url}");
        }
    }

    #[test]
    fn complaints_say_what_is_expected_and_tell_no_secret() {
        for (url, part) in [
            ("postgres://u:hunter2@h/d?sslmode=prefer", "disable, require or verify-full"),
            ("postgres://u:hunter2@h/d?target_session_attrs=any", "read-write or primary"),
            ("postgres://u:hunter2@h/d?pool=3", "\"pool\" is unknown"),
            ("postgres://u:hunter2@/d", "names no host"),
            ("postgres://h/d", "names no user"),
            ("postgres://u:hunter2@a:1,b:2,c:x/d?sslmode=disable", "cannot be read"),
            ("postgres://u:hunter2@h/d?sslmode=verify-full&sslrootcert=/no/such/file", "/no/such/file"),
        ] {
            let wrong = Address::parse(url).err().unwrap_or_else(|| panic!("{url} was taken"));
            assert!(wrong.contains(part) && !wrong.contains("hunter2"), "{url}: {wrong}");
        }
    }
}
