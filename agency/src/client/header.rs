//! What a gateway wants to see in the HTTP headers: x-tif-* signature, apikey, or a bearer token.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};
use serde::Deserialize;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{
    carrier::Carried,
    http::{Http, Post},
};
use crate::{
    answer::Cause,
    clock,
    keys::Gateway,
    profile::{HeaderScheme, Profile},
};

/// A token is renewed this long before it ends.
const TOKEN_SPARE: Duration = Duration::from_secs(30);
/// How long a token holds whose answer does not say.
const TOKEN_SECONDS: i64 = 300;

/// Name and value of a header.
pub(super) type Header = (&'static str, Zeroizing<String>);

/// Makes the headers of one request after the other. Clones share the token.
#[derive(Clone)]
pub(super) struct Headers {
    scheme: HeaderScheme,
    token_path: String,
    gateway: Gateway,
    token: Arc<Mutex<Option<Token>>>,
}

struct Token {
    text: Zeroizing<String>,
    ends: Timestamp,
}

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headers")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl Headers {
    pub(super) fn new(profile: &Profile, gateway: Gateway) -> Headers {
        Headers {
            scheme: profile.headers,
            token_path: profile.token_path.clone(),
            gateway,
            token: Arc::default(),
        }
    }

    /// The headers of a request that leaves now. An error says that it has not left.
    pub(super) async fn next(&self, http: &Http, base: &str) -> Result<Vec<Header>, Cause> {
        match self.scheme {
            HeaderScheme::None => Ok(Vec::new()),
            HeaderScheme::Apikey => Ok(vec![("apikey", self.gateway.apikey.clone())]),
            HeaderScheme::Tif => self.tif().ok_or(Cause::Unreachable),
            HeaderScheme::Bearer => {
                let token = self.token(http, base).await?;
                Ok(vec![(
                    "authorization",
                    Zeroizing::new(format!("Bearer {}", *token)),
                )])
            }
        }
    }

    fn tif(&self) -> Option<Vec<Header>> {
        let timestamp = clock::now().as_second().to_string();
        let mut random = [0_u8; 16];
        SystemRandom::new().fill(&mut random).ok()?;
        let nonce = hex(&random);
        let signature = tif_signature(&timestamp, &self.gateway.secret, &nonce);
        Some(vec![
            ("x-tif-paasid", self.gateway.paasid.clone()),
            ("x-tif-timestamp", Zeroizing::new(timestamp)),
            ("x-tif-nonce", Zeroizing::new(nonce)),
            ("x-tif-signature", Zeroizing::new(signature)),
        ])
    }

    /// The token, fetched anew shortly before it ends. Whoever comes meanwhile waits for the same one.
    async fn token(&self, http: &Http, base: &str) -> Result<Zeroizing<String>, Cause> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref().filter(|token| clock::now() < token.ends) {
            return Ok(token.text.clone());
        }
        let form = Zeroizing::new(format!(
            "grant_type=password&username={}&password={}",
            form_text(&self.gateway.user),
            form_text(&self.gateway.password)
        ));
        let client = Zeroizing::new(format!(
            "{}:{}",
            *self.gateway.client_id, *self.gateway.client_secret
        ));
        let basic = Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(client.as_bytes())));
        let post = Post {
            path: &self.token_path,
            content_type: "application/x-www-form-urlencoded",
            headers: &[("authorization", basic)],
            body: form.as_bytes().to_vec(),
        };
        let body = match Box::pin(http.post(base, post)).await {
            Carried::Body(body) => body,
            Carried::NotSent(cause) | Carried::Unknown(cause) => return Err(cause),
        };
        let token = Granted::read(&body).ok_or(Cause::BodyUnreadable {
            what: "no access token in it",
        })?;
        let seconds = token.expires_in.unwrap_or(TOKEN_SECONDS).clamp(0, 86_400);
        let ends = clock::now()
            .saturating_add(jiff::SignedDuration::from_secs(seconds))
            .and_then(|ends| ends.saturating_sub(TOKEN_SPARE))
            .unwrap_or(Timestamp::MAX);
        let text = token.access_token;
        *held = Some(Token {
            text: text.clone(),
            ends,
        });
        Ok(text)
    }

    /// The gateway took the token for none: the next request asks for another.
    pub(super) async fn refused(&self) {
        *self.token.lock().await = None;
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
    expires_in: Option<i64>,
}

impl Granted {
    /// The token as OAuth gives it, or one level deeper under `data`.
    fn read(body: &[u8]) -> Option<Granted> {
        #[derive(Deserialize)]
        struct Wrapped {
            data: Granted,
        }
        let plain = serde_json::from_slice::<Granted>(body);
        plain
            .or_else(|_| serde_json::from_slice::<Wrapped>(body).map(|wrapped| wrapped.data))
            .ok()
            .filter(|granted| !granted.access_token.is_empty())
    }
}

/// Lower-case hex of SHA-256( timestamp + secret + nonce + timestamp ).
pub(crate) fn tif_signature(timestamp: &str, secret: &str, nonce: &str) -> String {
    let text = Zeroizing::new(format!("{timestamp}{secret}{nonce}{timestamp}"));
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value of a form: everything but letters, digits and `-._~` escaped.
fn form_text(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 1700000000secretnonce1700000000 | openssl dgst -sha256`.
    #[test]
    fn a_signature_of_known_text() {
        assert_eq!(
            tif_signature("1700000000", "secret", "nonce"),
            "79b5fa2ac51a4476d25251a32c9766e6f5bb966021ef6df3778a72fb07039ee4"
        );
    }

    #[test]
    fn tokens_in_their_shapes() {
        for body in [
            r#"{"access_token":"t","expires_in":60,"token_type":"bearer"}"#,
            r#"{"access_token":"t"}"#,
            r#"{"code":0,"data":{"access_token":"t","expires_in":60}}"#,
        ] {
            assert_eq!(*Granted::read(body.as_bytes()).unwrap().access_token, "t");
        }
        for body in ["", "{}", r#"{"access_token":""}"#, "<html>"] {
            assert!(Granted::read(body.as_bytes()).is_none(), "{body}");
        }
        assert_eq!(form_text("a b&ü"), "a%20b%26%C3%BC");
    }
}
