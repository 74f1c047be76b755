//! The gateway in front of the sandbox: who may come in by the profile's HTTP headers, and the tokens it gives out.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::HeaderMap;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    client::tif_signature,
    clock,
    keys::Gateway,
    profile::{HeaderScheme, Profile},
};

/// How far a caller's clock may be off.
const SKEW_SECONDS_MAX: i64 = 300;
/// How long a token holds.
const TOKEN_SECONDS: i64 = 3600;

/// See the module.
pub(crate) struct Door {
    scheme: HeaderScheme,
    token_path: String,
    gateway: Gateway,
    tokens: HashMap<String, Timestamp>,
    given: u64,
}

impl Door {
    pub(crate) fn new(profile: &Profile, gateway: Gateway) -> Door {
        Door {
            scheme: profile.headers,
            token_path: profile.token_path.clone(),
            gateway,
            tokens: HashMap::new(),
            given: 0,
        }
    }

    /// Whether a path is where tokens are given out.
    pub(crate) fn gives_tokens(&self, path: &str) -> bool {
        self.scheme == HeaderScheme::Bearer && path == self.token_path
    }

    /// A token for a caller who shows client and password; None: these are wrong.
    pub(crate) fn token(&mut self, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let client = format!("{}:{}", *self.gateway.client_id, *self.gateway.client_secret);
        let basic = format!("Basic {}", BASE64_STANDARD.encode(client));
        let form = std::str::from_utf8(body).ok()?;
        let field = |name: &str| {
            form.split('&')
                .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let known = text(headers, "authorization") == basic
            && field("grant_type") == Some("password")
            && field("username") == Some(self.gateway.user.as_str())
            && field("password") == Some(self.gateway.password.as_str());
        if !known {
            return None;
        }
        self.given += 1;
        let now = clock::now();
        let token = format!("{:x}{:06x}", now.as_nanosecond(), self.given);
        let ends = now.saturating_add(jiff::SignedDuration::from_secs(TOKEN_SECONDS));
        self.tokens.retain(|_, ends| now < *ends);
        self.tokens.insert(token.clone(), ends.unwrap_or(Timestamp::MAX));
        let granted = json!({"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS});
        Some(granted.to_string())
    }

    /// Whether a request's headers let it in.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        match self.scheme {
            HeaderScheme::None => true,
            HeaderScheme::Apikey => text(headers, "apikey") == self.gateway.apikey.as_str(),
            HeaderScheme::Bearer => text(headers, "authorization")
                .strip_prefix("Bearer ")
                .and_then(|token| self.tokens.get(token))
                .is_some_and(|ends| clock::now() < *ends),
            HeaderScheme::Tif => self.admits_tif(headers),
        }
    }

    fn admits_tif(&self, headers: &HeaderMap) -> bool {
        let (timestamp, nonce) = (text(headers, "x-tif-timestamp"), text(headers, "x-tif-nonce"));
        let fresh = timestamp
            .parse::<i64>()
            .is_ok_and(|then| (clock::now().as_second() - then).abs() <= SKEW_SECONDS_MAX);
        fresh
            && !nonce.is_empty()
            && text(headers, "x-tif-paasid") == self.gateway.paasid.as_str()
            && text(headers, "x-tif-signature") == tif_signature(timestamp, &self.gateway.secret, nonce)
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
