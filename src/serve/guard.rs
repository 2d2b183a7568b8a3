//! Whether a request may come in at all: the name that it calls this server by, and the page that
//! sent it. So a page of the web cannot have a reader's browser use the server on their machine,
//! neither by its address nor by a name that it makes point there (DNS rebinding).

use super::failure::Failure;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::http::uri::{Authority, Uri};
use std::net::IpAddr;

/// Names and pages that are let in besides this machine's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Names of the server, in lower case.
    names: Vec<String>,
    /// Origins of pages, as `https://example.org`; `*` is all of them.
    origins: Vec<String>,
}

impl Guard {
    pub fn new(names: &[String], origins: &[String]) -> Guard {
        let lower = |all: &[String]| all.iter().map(|one| one.to_ascii_lowercase()).collect();
        Guard { names: lower(names), origins: lower(origins) }
    }

    /// Lets a request in; the origin of the page that sent it, where that is another than this
    /// server's own.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<Option<String>, Failure> {
        let host = self.host(uri, headers)?;
        self.origin(&host, headers)
    }

    /// The name by which a request calls this server. An address is not a name that somebody could
    /// make point here.
    fn host(&self, uri: &Uri, headers: &HeaderMap) -> Result<Authority, Failure> {
        let mut named = headers.get_all(header::HOST).iter();
        let (host, more) = (named.next(), named.next());
        let host = host.filter(|_| more.is_none()).and_then(|host| host.to_str().ok());
        let host = host.and_then(|host| host.parse::<Authority>().ok());
        let host = host.filter(|host| !host.as_str().contains('@'));
        let host =
            host.ok_or_else(|| Failure::bad("expected one Host header with a name in it"))?;
        for authority in [Some(&host), uri.authority()].into_iter().flatten() {
            if !self.is_ours(authority.host()) {
                return Err(Failure::new(
                    StatusCode::FORBIDDEN,
                    "this server is not known by that name; its operator can let it in with \
                     --allow-host",
                ));
            }
        }
        Ok(host)
    }

    fn is_ours(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.names.contains(&name)
    }

    fn origin(&self, host: &Authority, headers: &HeaderMap) -> Result<Option<String>, Failure> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        let own = host.as_str().to_ascii_lowercase();
        if ["http://", "https://"].iter().any(|scheme| origin == format!("{scheme}{own}")) {
            return Ok(None);
        }
        if self.origins.iter().any(|known| *known == origin || known == "*") {
            return Ok(Some(origin));
        }
        Err(Failure::new(
            StatusCode::FORBIDDEN,
            "pages of that origin may not use this server; its operator can let them with \
             --allow-origin",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, uri: &str, headers: &[(&str, &str)]) -> Result<Option<String>, u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        guard.check(&uri.parse().unwrap(), &map).map_err(|failure| failure.status.as_u16())
    }

    #[test]
    fn this_machine_is_called_by_an_address_or_by_a_name_that_nobody_else_can_point_at_it() {
        let guard = Guard::new(&["Desk.example.org".into()], &[]);
        for host in [
            "127.0.0.1:5000",
            "localhost",
            "LOCALHOST:80",
            "[::1]:5000",
            "192.168.1.7",
            "app.localhost:5000",
            "desk.EXAMPLE.org:5000",
            "localhost.",
        ] {
            assert_eq!(check(&guard, "/translate", &[("host", host)]), Ok(None), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "xlocalhost"] {
            assert_eq!(check(&guard, "/translate", &[("host", host)]), Err(403), "{host}");
        }
        for host in ["", "a b", "user@localhost", "http://localhost"] {
            assert_eq!(check(&guard, "/", &[("host", host)]), Err(400), "{host}");
        }
        assert_eq!(check(&guard, "/", &[]), Err(400));
        assert_eq!(check(&guard, "/", &[("host", "localhost"), ("host", "localhost")]), Err(400));
        let absolute = "http://evil.example/translate";
        assert_eq!(check(&guard, absolute, &[("host", "localhost")]), Err(403));
    }

    #[test]
    fn pages_of_other_origins_stay_out_unless_they_are_let_in() {
        let guard = Guard::new(&[], &["https://Reader.example".into()]);
        let from = |origin| check(&guard, "/", &[("host", "localhost:5000"), ("origin", origin)]);
        assert_eq!(from("http://localhost:5000"), Ok(None));
        assert_eq!(from("https://reader.example"), Ok(Some("https://reader.example".into())));
        for origin in [
            "http://localhost:5001",
            "http://localhost",
            "https://evil.example",
            "null",
            "",
            "http://localhost:5000.evil.example",
            "moz-extension://0d1e",
        ] {
            assert_eq!(from(origin), Err(403), "{origin}");
        }
        let open = Guard::new(&[], &["*".into()]);
        let found = check(&open, "/", &[("host", "localhost"), ("origin", "null")]);
        assert_eq!(found, Ok(Some("null".into())));
    }
}
