//! Who asks, and for how long.

use super::*;

fn manager(mechanism: &str) -> Element {
    let entry = Element::new("Authorization", "")
        .with("Authorization.url", "http://127.0.0.1")
        .with("Authorization.username", "us")
        .with("Authorization.password", "pw")
        .with("Authorization.mechanism", mechanism);
    Element::new("AuthManager", "").with_elements("AuthManager.auth_list", vec![entry])
}

#[test]
fn a_digest_is_the_answer_to_a_challenge() {
    for (mechanism, first) in [("DIGEST", false), ("BASIC_DIGEST", true)] {
        let server = Server::start();
        let around = Around {
            authorization: Some(manager(mechanism)),
            ..Around::default()
        };
        let element = raw(sampler(&server, "s", "/digest?a=b"), "POST", "body");
        let results = samples(&[element], &around);
        let result = results[0].as_ref().unwrap();
        assert_eq!(code(result), "200", "{mechanism}");
        assert!(result.sub_results.is_empty());
        let requests = server.requests();
        let [asked, answered] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        assert_eq!(asked.contains("Authorization: Basic "), first, "{asked}");
        let digest = "Authorization: Digest username=\"us\", realm=\"r\", nonce=\"n\", \
                      uri=\"/digest?a=b\", response=\"";
        assert!(answered.contains(digest), "{answered}");
        assert!(answered.contains("qop=auth, nc=00000001, cnonce=\""));
        assert!(answered.ends_with("body"), "{answered}");
    }
}

#[test]
fn a_proxy_gets_its_password_when_it_asks() {
    let server = Server::start();
    let element = Element::new("HTTPSamplerProxy", "s")
        .with("HTTPSampler.domain", "shop.example")
        .with("HTTPSampler.path", "/a")
        .with("HTTPSampler.proxyHost", "127.0.0.1")
        .with("HTTPSampler.proxyPort", &server.address.port().to_string())
        .with("HTTPSampler.proxyUser", "us")
        .with("HTTPSampler.proxyPass", "pw");
    let results = samples(std::slice::from_ref(&element), &Around::default());
    assert_eq!(results[0].as_ref().map(code).as_deref(), Some("200"));
    let without = element.with("HTTPSampler.proxyUser", "");
    let results = samples(&[without], &Around::default());
    assert_eq!(results[0].as_ref().map(code).as_deref(), Some("407"));
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    let told: Vec<bool> = requests
        .iter()
        .map(|request| request.contains("Proxy-Authorization: Basic dXM6cHc=\r\n"))
        .collect();
    assert_eq!(told, [false, true, false]);
    assert!(requests.iter().all(|request| {
        request.starts_with("GET http://shop.example/a HTTP/1.1\r\n")
            && request.contains("\r\nProxy-Connection: Keep-Alive\r\n")
    }));
}

#[test]
fn the_sum_of_a_body_stands_for_it() {
    let server = Server::start();
    let element = sampler(&server, "s", "/a").with("HTTPSampler.md5", "true");
    let results = samples(&[element], &Around::default());
    let result = results[0].as_ref().unwrap();
    assert_eq!(result.text(), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(result.body_bytes, 5);
}

#[test]
fn passwords_and_cookies_are_those_of_the_plan_s_server_even_elsewhere() {
    let server = Server::start();
    let entry = Element::new("Authorization", "")
        .with("Authorization.url", "http://production.example/")
        .with("Authorization.username", "us")
        .with("Authorization.password", "pw");
    let passwords =
        Element::new("AuthManager", "").with_elements("AuthManager.auth_list", vec![entry]);
    let cookie = Element::new("Cookie", "own")
        .with("Cookie.value", "1")
        .with("Cookie.domain", "production.example");
    let cookies =
        Element::new("CookieManager", "").with_elements("CookieManager.cookies", vec![cookie]);
    let around = Around {
        authorization: Some(passwords),
        cookies: Some(cookies),
        target: Some(format!("http://{}", server.address)),
        ..Around::default()
    };
    let element = sampler(&server, "s", "/redirect")
        .with("HTTPSampler.domain", "production.example")
        .with("HTTPSampler.port", "");
    let results = samples(&[element], &around);
    assert_eq!(results[0].as_ref().map(code).as_deref(), Some("200"));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert!(
            request.contains("\r\nAuthorization: Basic dXM6cHc=\r\n"),
            "{request}"
        );
        assert!(request.contains("\r\nCookie: own=1\r\n"), "{request}");
    }
}

#[test]
fn a_request_is_cut_when_its_time_is_over() {
    let server = Server::start();
    let mut compiler = Compiler::default();
    let settings = HttpSettings::new(&|_| None, None, &mut compiler).unwrap();
    let scope = Scope {
        settings: Arc::new(settings),
        needs: Needs::default(),
        headers: Vec::new(),
        cookies: None,
        cache: None,
        authorization: None,
        names: None,
    };
    let element = sampler(&server, "s", "/slow");
    let slow = HttpSampler::compile(&element, scope, &mut compiler).unwrap();
    let run = Arc::new(Run::new(Path::new("/"), HashMap::new(), 7));
    let mut tasks = Tasks::new(run.clock, &Stop::default()).unwrap();
    let results = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&results);
    tasks.spawn(async move {
        let mut user = User::new(&run, "Group", 1, 1);
        user.cut_at = Some(run.clock.now() + std::time::Duration::from_millis(30));
        let result = slow.sample(&mut user).await;
        all.lock().unwrap().extend(result);
    });
    tasks.run().unwrap();
    let results = results.lock().unwrap();
    assert_eq!(
        code(&results[0]),
        "Non HTTP response code: java.net.SocketException"
    );
    assert_eq!(
        results[0].message,
        "Non HTTP response message: Socket closed"
    );
    assert!(results[0].elapsed() >= std::time::Duration::from_millis(30));
}
