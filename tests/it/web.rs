//! Requests of scripts: what is sent goes to granted hosts and public addresses only, and what comes back is bounded.
//!
//! The other end is real servers on this machine, each granted by its address; names are found by a look-up of the test's.

mod server;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use floimg_fleet::model::failure::FailureKind;
use floimg_fleet::model::grant::HostGrant;
use floimg_fleet::secret::Secret;
use floimg_fleet::web::{Error, Headers, Limits, Reply, Request, Verb, Web, WrongHeader, is_public};
use sha2::{Digest, Sha256};
use url::Url;

use super::living::{Home, persona, roster};
use server::Server;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), request_bytes: 1000, reply_bytes: 20_000 };
const SHORT: Limits = Limits { timeout: Duration::from_millis(300), ..LIMITS };

/// A client that finds every name at these addresses.
fn web_finding(addresses: &'static [&'static str]) -> Web {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let lookup = Arc::new(move |_name: String| {
        let found = addresses.iter().map(|ip| SocketAddr::new(ip.parse::<IpAddr>().expect("an address"), 0)).collect();
        Box::pin(async move { Ok::<Vec<SocketAddr>, std::io::Error>(found) }) as _
    });
    Web::new(4, Duration::from_secs(5), lookup).expect("a client")
}

fn web() -> Web {
    web_finding(&["127.0.0.1"])
}

fn grants(hosts: &[&str]) -> Vec<HostGrant> {
    hosts.iter().map(|host| HostGrant::parse(host).expect("a host")).collect()
}

fn get(url: impl Into<String>) -> Request {
    Request { verb: Verb::Get, url: url.into(), headers: Headers::default(), body: None, key: None }
}

fn post(url: impl Into<String>, body: &str) -> Request {
    Request { verb: Verb::Post, body: Some((body.as_bytes().to_vec(), "text/plain")), ..get(url) }
}

fn with(mut request: Request, headers: &[(&str, &str)]) -> Request {
    for (name, value) in headers {
        request.headers.add(name, value).expect("a header");
    }
    request
}

async fn refused(result: Result<Reply, Error>) -> (FailureKind, String) {
    let failure = result.expect_err("it is refused").failure();
    (failure.kind, failure.message)
}

#[test]
fn a_grant_covers_what_it_says_and_nothing_else() {
    for (grant, url, is_covered) in [
        ("example.com", "https://example.com/a?b", true),
        ("example.com", "https://EXAMPLE.com./", true),
        ("example.com", "https://example.com:443/", true),
        ("example.com", "https://example.com:8443/", false),
        ("example.com", "http://example.com/", false),
        ("example.com", "http://example.com:443/", false),
        ("example.com", "https://www.example.com/", false),
        ("example.com", "https://example.com.evil.org/", false),
        ("example.com", "https://notexample.com/", false),
        ("example.com:8443", "https://example.com:8443/", true),
        ("example.com:8443", "https://example.com/", false),
        ("*.example.com", "https://a.example.com/", true),
        ("*.example.com", "https://a.b.example.com/", true),
        ("*.example.com", "https://example.com/", false),
        ("*.example.com", "https://.example.com/", false),
        ("*.example.com", "https://evilexample.com/", false),
        ("*.example.com", "https://example.com.evil.org/", false),
        ("*.example.com:8443", "https://a.example.com/", false),
        ("http://example.com", "http://example.com/", true),
        ("http://example.com", "https://example.com/", false),
        ("https://example.com", "https://example.com/", true),
        ("Bücher.example", "https://xn--bcher-kva.example/", true),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/", true),
        ("http://127.0.0.1:9000", "http://127.1:9000/", true),
        ("http://127.0.0.1:9000", "http://2130706433:9000/", true),
        ("http://127.0.0.1:9000", "http://127.0.0.1/", false),
        ("http://127.0.0.1:9000", "http://127.0.0.2:9000/", false),
        ("http://127.0.0.1:9000", "http://localhost:9000/", false),
        ("http://127.0.0.1:9000", "http://[::ffff:127.0.0.1]:9000/", false),
        ("[2606:4700::1111]", "https://[2606:4700:0::1111]/", true),
        ("[2606:4700::1111]:8443", "https://[2606:4700::1111]:8443/", true),
    ] {
        let parsed = Url::parse(url).ok();
        let covers = parsed.is_some_and(|url| {
            let (host, port) = (url.host().expect("a host"), url.port_or_known_default().expect("a port"));
            HostGrant::parse(grant).expect(grant).covers(url.scheme(), &host, port)
        });
        assert_eq!(covers, is_covered, "{grant} and {url}");
    }
    for wrong in [
        "",
        "*",
        "*.",
        "*.com",
        "*.*.com",
        "a*.example.com",
        "example.*",
        "ftp://example.com",
        "example.com/",
        "example.com/x",
        "example.com?x",
        "me@example.com",
        "example.com:0",
        "example.com:99999",
        "example.com:http",
        "a..b",
        ".example.com",
        "example.com.",
        "localhost",
        "http://localhost:9000",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "*.127.0.0.1",
        "a b.com",
        "https://",
        "//example.com",
    ] {
        let problem = HostGrant::parse(wrong).expect_err(wrong).to_string();
        assert!(problem.contains("hooks.example.com"), "{wrong}: {problem}");
    }
}

#[test]
fn only_addresses_that_anybody_may_call_are_public() {
    for public in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.0.1",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8",
    ] {
        assert!(is_public(public.parse().expect("an address")), "{public}");
    }
    for private in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "4000::1",
    ] {
        assert!(!is_public(private.parse().expect("an address")), "{private}");
    }
}

#[test]
fn headers_that_could_smuggle_are_refused() {
    let add = |name: &str, value: &str| Headers::default().add(name, value);
    for name in [
        "Host",
        "content-length",
        "CONTENT-LENGTH",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "User-Agent",
        "Expect",
        "Accept-Encoding",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Sec-Fetch-Site",
        "X-Fleet-Signature",
        "x-fleet-timestamp",
        "X-Agent-Id",
        "HTTP2-Settings",
    ] {
        assert!(matches!(add(name, "x"), Err(WrongHeader::Forbidden(_))), "{name}");
    }
    for name in ["", " ", "a b", "a:b", "a\r\nb", "a\0", "é", "a,b", "(a)", " host", "host "] {
        assert!(matches!(add(name, "x"), Err(WrongHeader::Name(_))), "{name:?}");
    }
    for value in ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "\u{7f}"] {
        assert!(matches!(add("a", value), Err(WrongHeader::Value(_))), "{value:?}");
    }
    assert!(matches!(add("a", &"x".repeat(4097)), Err(WrongHeader::Long(_))));
    let mut headers = Headers::default();
    headers.add("Authorization", "Bearer x").expect("fine");
    assert!(matches!(headers.add("authorization", "y"), Err(WrongHeader::Twice(_))));
    for n in 1..32 {
        headers.add(&format!("x-{n}"), "y").expect("fine");
    }
    assert!(matches!(headers.add("x-32", "y"), Err(WrongHeader::Many)));
}

#[tokio::test]
async fn a_granted_host_is_asked_and_answers() {
    let server = Server::start().await;
    let granted = grants(&[&server.grant()]);
    let reply = web().fetch(&granted, with(get(server.url("/echo?x=1#part")), &[("X-Mine", "yes")]), LIMITS).await;
    let reply = reply.expect("answered");
    assert!(reply.status == 200 && reply.is_json());
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("GET", "/echo?x=1"));
    assert_eq!(seen.header("x-mine"), Some("yes"));
    assert_eq!(seen.header("user-agent"), Some(concat!("floimg-fleet/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(seen.header("referer"), None);
    let reply = web().fetch(&granted, post(server.url("/missing"), "hello"), LIMITS).await.expect("answered");
    assert_eq!(reply.status, 404, "a status is an answer");
    assert_eq!((server.last().method.as_str(), server.last().body.as_str()), ("POST", "hello"));
}

#[tokio::test]
async fn what_is_not_granted_is_not_asked() {
    let server = Server::start().await;
    let other = Server::start().await;
    for hosts in
        [vec![], vec![other.grant()], vec!["*.example.com".to_owned()], vec![server.grant().replace("http:", "https:")]]
    {
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let (kind, words) = refused(web().fetch(&grants(&hosts), get(server.url("/")), LIMITS).await).await;
        assert_eq!(kind, FailureKind::Forbidden);
        assert!(words.contains("is not granted") && words.contains(&server.port().to_string()), "{words}");
    }
    for wrong in
        ["", "example.com", "ftp://example.com/", "file:///etc/passwd", "https://", "https://me:pw@example.com/"]
    {
        let (kind, words) = refused(web().fetch(&grants(&["example.com"]), get(wrong), LIMITS).await).await;
        assert!(kind == FailureKind::Rejected && !words.contains("pw@"), "{wrong}: {kind:?} {words}");
    }
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_refused() {
    let server = Server::start().await;
    let port = server.port();
    let granted = grants(&[&format!("http://inside.example.com:{port}"), &server.grant()]);
    for addresses in
        [&["127.0.0.1"][..], &["10.0.0.1", "169.254.169.254"], &["::1"], &["::ffff:127.0.0.1"], &["fe80::1"]]
    {
        let url = format!("http://inside.example.com:{port}/");
        let (kind, words) = refused(web_finding(addresses).fetch(&granted, get(url), LIMITS).await).await;
        assert_eq!(kind, FailureKind::Forbidden, "{addresses:?}: {words}");
        assert!(words.contains("no public address"), "{words}");
    }
    let url = format!("http://inside.example.com:{port}/");
    let (kind, words) = refused(web_finding(&[]).fetch(&granted, post(url, "x"), LIMITS).await).await;
    assert_eq!(kind, FailureKind::Unavailable, "nothing was sent, and that is known: {words}");
    assert_eq!(server.hits(), 0, "the grant of the address does not open it to a name");
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_grants_go() {
    let (server, other) = (Server::start().await, Server::start().await);
    let both = grants(&[&server.grant(), &other.grant(), "http://inside.example.com"]);
    let one = grants(&[&server.grant()]);
    let keys = [("Authorization", "Bearer key"), ("X-Api-Key", "key"), ("Cookie", "a=b"), ("Accept", "text/plain")];

    let here = server.redirect(302, "/echo");
    web().fetch(&one, with(get(here), &keys), LIMITS).await.expect("answered");
    assert_eq!(server.last().header("authorization"), Some("Bearer key"), "the same host may know the key");

    let there = server.redirect(307, &other.url("/echo"));
    web().fetch(&both, with(get(there.clone()), &keys), LIMITS).await.expect("answered");
    let seen = other.last();
    for name in ["authorization", "x-api-key", "cookie", "referer"] {
        assert_eq!(seen.header(name), None, "{name} does not follow to another host");
    }
    assert_eq!(seen.header("accept"), Some("text/plain"));
    let hits = other.hits();
    let (kind, words) = refused(web().fetch(&one, get(there), LIMITS).await).await;
    assert!(
        kind == FailureKind::Forbidden && words.contains("redirects to") && words.contains("not granted"),
        "{words}"
    );
    assert_eq!(other.hits(), hits);

    for bad in [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://2130706433/",
        "//example.org/",
        "https://example.org/",
    ] {
        let (kind, words) = refused(web().fetch(&both, get(server.redirect(302, bad)), LIMITS).await).await;
        assert_eq!(kind, FailureKind::Forbidden, "{bad}: {words}");
    }
    let named = server.redirect(302, "http://inside.example.com/");
    let (kind, words) = refused(web().fetch(&both, get(named), LIMITS).await).await;
    assert!(kind == FailureKind::Forbidden && words.contains("no public address"), "{words}");
    for bad in ["file:///etc/passwd", "javascript:x", "http://a:b@example.org/", "http://"] {
        let (kind, words) = refused(web().fetch(&both, get(server.redirect(302, bad)), LIMITS).await).await;
        assert_eq!(kind, FailureKind::Unavailable, "{bad}: {words}");
    }

    let mut url = "/echo".to_owned();
    for _ in 0..3 {
        url = server.redirect_path(302, &url);
    }
    web().fetch(&one, get(server.url(&url)), LIMITS).await.expect("three are followed");
    let (kind, words) = refused(web().fetch(&one, get(server.redirect(302, &url)), LIMITS).await).await;
    assert!(kind == FailureKind::Unavailable && words.contains("more than 3 redirects"), "{words}");
}

#[tokio::test]
async fn a_redirected_post_is_sent_on_or_becomes_a_look() {
    let server = Server::start().await;
    let granted = grants(&[&server.grant()]);
    for (status, method, body) in
        [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "hello"), (308, "POST", "hello")]
    {
        let mut request = post(server.redirect(status, "/echo"), "hello");
        request.key = Some(Secret::new("key"));
        web().fetch(&granted, request, LIMITS).await.expect("answered");
        let seen = server.last();
        assert_eq!((seen.method.as_str(), seen.body.as_str()), (method, body), "{status}");
        assert_eq!(seen.header("x-fleet-signature").is_some(), method == "POST", "{status}");
        assert_eq!(seen.header("content-type").is_some(), method == "POST", "{status}");
    }
}

#[tokio::test]
async fn bodies_are_bounded_both_ways() {
    let server = Server::start().await;
    let granted = grants(&[&server.grant()]);
    let (kind, words) =
        refused(web().fetch(&granted, post(server.url("/echo"), &"x".repeat(1001)), LIMITS).await).await;
    assert!(
        kind == FailureKind::Rejected && words.contains("1001 bytes") && words.contains("web.max_request_kib"),
        "{words}"
    );
    assert_eq!(server.hits(), 0);
    let fits = web().fetch(&granted, get(server.url("/long/20000")), LIMITS).await.expect("it fits");
    assert_eq!(fits.body.len(), 20_000);
    for path in ["/long/20001", "/endless", "/bomb"] {
        let (kind, words) = refused(web().fetch(&granted, get(server.url(path)), LIMITS).await).await;
        assert_eq!(kind, FailureKind::Limit, "{path}: {words}");
        assert!(words.contains("web.max_reply_kib"), "{words}");
    }
    let zipped = web().fetch(&granted, get(server.url("/zipped")), LIMITS).await.expect("it fits");
    assert_eq!(zipped.body, b"hello hello hello");
    let (kind, _) = refused(web().fetch(&granted, post(server.url("/endless"), "x"), LIMITS).await).await;
    assert_eq!(kind, FailureKind::Unknown, "what was sent may have been done");
}

#[tokio::test]
async fn a_host_that_drips_or_is_silent_ends_the_call_in_time() {
    let server = Server::start().await;
    let granted = grants(&[&server.grant()]);
    for path in ["/drip", "/silent"] {
        let (kind, words) = refused(web().fetch(&granted, get(server.url(path)), SHORT).await).await;
        assert!(kind == FailureKind::Unavailable && words.contains("no reply within 0.3 seconds"), "{path}: {words}");
        let (kind, _) = refused(web().fetch(&granted, post(server.url(path), "x"), SHORT).await).await;
        assert_eq!(kind, FailureKind::Unknown, "{path}");
    }
    let closed = Server::start().await;
    let (url, granted) = (closed.url("/"), grants(&[&closed.grant()]));
    closed.stop().await;
    let (kind, words) = refused(web().fetch(&granted, post(url, "x"), LIMITS).await).await;
    assert_eq!(kind, FailureKind::Unavailable, "it was never sent: {words}");
}

#[tokio::test]
async fn only_so_many_calls_are_under_way() {
    let server = Server::start().await;
    let granted = grants(&[&server.grant()]);
    let lookup = Arc::new(|_| Box::pin(async { Ok(Vec::new()) }) as _);
    let web = Web::new(1, Duration::from_secs(5), lookup).expect("a client");
    let first = web.fetch(&granted, get(server.url("/gate")), LIMITS);
    let second = async {
        server.until_hits(1).await;
        let waiting = web.fetch(&granted, get(server.url("/echo")), SHORT).await;
        let hits = server.hits();
        server.open_gate();
        (waiting, hits)
    };
    let (first, (second, hits)) = tokio::join!(first, second);
    assert_eq!(first.expect("answered").status, 200);
    assert_eq!(refused(second).await.0, FailureKind::Unavailable);
    assert_eq!(hits, 1, "the second never went out");
}

/// HMAC-SHA256 by the book (RFC 2104), to hold the library against.
pub fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let digest = |pad: u8, rest: &[u8]| {
        let mut hash = Sha256::new();
        hash.update(block.map(|byte| byte ^ pad));
        hash.update(rest);
        hash.finalize()
    };
    let outer = digest(0x5c, &digest(0x36, message));
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_signed_request_proves_its_time_and_body() {
    assert_eq!(
        hmac(b"Jefe", b"what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    let server = Server::start().await;
    let mut request = post(server.url("/echo"), "{\"a\":1}");
    request.key = Some(Secret::new("s3cret"));
    web().fetch(&grants(&[&server.grant()]), request, LIMITS).await.expect("answered");
    let seen = server.last();
    let at = seen.header("x-fleet-timestamp").expect("a time");
    assert!(at.parse::<i64>().expect("seconds") > 1_600_000_000);
    let expected = format!("sha256={}", hmac(b"s3cret", format!("{at}.{{\"a\":1}}").as_bytes()));
    assert_eq!(seen.header("x-fleet-signature"), Some(expected.as_str()));
}

/// Asks as often as it is told to, and keeps what came back.
const READER: &str = r#"needs = { "floimg", "http" },
    on_tick = function(bot)
        local s = bot.state
        s.n = (s.n or 0) + 1
        local reply, failure = http.get("URL/echo", { headers = { ["X-Bot"] = bot.username } })
        s.status = reply and reply.status
        s.ok = reply and reply.json and reply.json.ok
        s.failed = failure and failure.kind
        s.why = failure and failure.message
        for _ = 2, 4 do
            local _, failure = http.get("URL/echo")
            s.last = failure and failure.kind or "answered"
        end
        return 30
    end,"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_persona_reads_from_a_granted_host_until_the_grant_is_taken_back() {
    let server = Server::start().await;
    let home = Home::with("reader", &persona("", &READER.replace("URL", &server.url(""))), 1);
    let config = |hosts: &str| {
        let bots = roster(&[("reader", 1)]);
        format!("{bots}\n[web]\ncalls_per_tick = 3\n[web.personas]\nreader = [{hosts}]\n")
    };
    home.config(&config(&format!("\"{}\"", server.grant())));
    let running = home.start(&["runtime.retry_base_secs=1", "runtime.retry_cap_secs=2"]).await;
    running.wake_all().await;
    let state = running.until_state("reader-1", "an answer", |state| state["n"].as_u64() >= Some(1)).await;
    assert_eq!(
        (&state["status"], &state["ok"], &state["last"]),
        (&200.into(), &true.into(), &"limit".into()),
        "{state}"
    );
    let bot = running.bots().await.remove(0);
    assert_eq!(server.first().header("x-bot"), Some(bot.username.as_str()));

    home.config(&config("\"https://example.com\""));
    let state = running.until_state("reader-1", "a refusal", |state| state["failed"] == "forbidden").await;
    assert!(state["why"].as_str().is_some_and(|why| why.contains("see [web.personas] of the config")), "{state}");

    home.config(&config(""));
    let told = running.until_told("script_error", 1).await;
    assert!(told[0].what.text.contains("http.get needs the permission `http`"), "{told:?}");
    running.stop().await;
}
