//! Profiles: what a province does differently, as data (one TOML each).

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use serde::Deserialize;

use crate::gm::SignatureForm;

/// How one province's gateway wants to be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name by which the profile is chosen.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// Path of a transaction below the agency's address; `{infno}` stands for the transaction number, `{service}` for
    /// its entry in `services`.
    pub path: String,
    /// Service paths by transaction number, where `path` asks for them.
    #[serde(default)]
    pub services: BTreeMap<String, String>,
    /// Path of the medical-insurance code decoder.
    pub ec_query_path: String,
    /// What the gateway wants to see in the HTTP headers.
    pub headers: HeaderScheme,
    /// Where a bearer token is given out.
    #[serde(default)]
    pub token_path: String,
    /// Receiving system (接收方系统代码).
    pub recer_sys_code: String,
    /// Interface version.
    pub infver: String,
    /// Signature type of the envelope; empty when the envelope is not signed.
    #[serde(default)]
    pub signtype: String,
    /// Kind of encryption named in the envelope; empty: the envelope has no such field.
    #[serde(default)]
    pub enc_type: String,
    /// How `input` and `output` are written.
    pub input: InputForm,
    /// What stands in cainfo.
    pub cainfo: Cainfo,
    /// How a signature in cainfo is written.
    #[serde(default = "base64")]
    pub cainfo_form: SignatureForm,
    /// The agency signs its output the same way, and a reply whose signature does not hold is none.
    #[serde(default)]
    pub reply_signed: bool,
    /// Numbers of the province's own variants, by the national number (`"2207" = "2207A"`).
    #[serde(default)]
    pub variants: BTreeMap<String, String>,
    /// Every message carries the number of a sign-in (9001) of its day.
    #[serde(default)]
    pub signed_in: bool,
    /// A hospital's bill is settled as a visit (2201–2207, 2401–2304) instead of in one call as a pharmacy's.
    pub hospital_visits: bool,
    /// National numbers of the transactions 2601 may reverse.
    pub reversible: Vec<String>,
    /// fund_pay_sumamt contains the personal account's part.
    pub fund_sum_includes_account: bool,
    /// acct_pay contains the family account's part (共济) instead of standing beside it.
    pub family_inside_account: bool,
    /// Where a drug's trace codes are given.
    pub trace_codes: TraceCodes,
    /// infcode -1 leaves a money transaction in doubt instead of refusing it.
    pub system_error_unknown: bool,
    /// A repeated msgid gets the first answer again.
    pub repeated_msgid_idempotent: bool,
    /// 5203 finds a settlement by medins_setl_id, the msgid it was sent under. Where it does not, it is asked for each
    /// visit that 5201 names.
    pub query_by_msgid: bool,
    /// Audits of a bill before it is paid: 3101, 3102, both or none.
    #[serde(default)]
    pub audit: Vec<String>,
    /// Words by which the province's refusals are known, by the stable code of what they mean.
    #[serde(default = "meanings")]
    pub refusals: BTreeMap<String, Vec<String>>,
    /// The claim travels in exp_content, for an agency that recomputes from it.
    pub claim_in_exp_content: bool,
    /// Reconciliation.
    pub statement: StatementStyle,
}

/// What this terminal acts on, in the words that are usual.
fn meanings() -> BTreeMap<String, Vec<String>> {
    let usual: [(&str, &[&str]); 8] = [
        (
            "ORIGINAL_NOT_FOUND",
            &["未找到原交易", "原交易不存在", "无原交易", "未查询到原交易"],
        ),
        ("ALREADY_REVERSED", &["原交易已冲正", "已冲正", "已撤销结算"]),
        (
            "MSGID_REPEATED",
            &["报文ID重复", "报文id重复", "重复报文", "msgid重复"],
        ),
        (
            "SIGN_NO_UNKNOWN",
            &["未签到", "已签退", "签到已失效", "签到已过期", "签到编号不存在"],
        ),
        ("TRIAL_STALE", &["重新预结算", "预结算已失效"]),
        ("TRACE_CODE_NOT_SOLD", &["追溯码无销售记录"]),
        ("CLEARING_APPLIED", &["清算已申请", "重复申请清算"]),
        ("CLEARING_NOT_FOUND", &["未找到该清算申请", "清算申请不存在"]),
    ];
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    usual
        .iter()
        .map(|(meaning, words)| ((*meaning).to_owned(), owned(words)))
        .collect()
}

/// Whether a refusal's words leave open that the agency has done it, or is about to. Of a settlement that it is settled
/// says so as well.
pub(crate) fn leaves_in_doubt(national: &str, words: &str) -> bool {
    let open = [
        "处理中",
        "已处理",
        "重复提交",
        "超时",
        "结果未知",
        "状态未知",
        "查询结算结果",
        "稍后查询",
        "timed out",
        "timeout",
        "time out",
    ];
    let words = words.to_lowercase();
    let settles = matches!(national, "2102" | "2207" | "2304");
    open.iter().any(|word| words.contains(word))
        || settles && ["已结算", "重复结算"].iter().any(|word| words.contains(word))
}

fn base64() -> SignatureForm {
    SignatureForm::Base64
}

/// What a gateway wants to see in the HTTP headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderScheme {
    /// Nothing but the client's certificate.
    None,
    /// x-tif-paasid, -timestamp, -nonce and -signature.
    Tif,
    /// `Authorization: Bearer`, with a token from `token_path`.
    Bearer,
    /// apikey.
    Apikey,
}

/// How `input` and `output` are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputForm {
    /// A JSON object.
    Object,
    /// That object as text inside a string.
    String,
    /// That text under SM4, in Base64.
    Ciphertext,
}

/// What stands in cainfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cainfo {
    /// Nothing.
    None,
    /// SM3withSM2 over the envelope's fields but cainfo and input, sorted, as `k=v&k=v`.
    EnvelopeSm2,
    /// SM3withSM2 over the text of the plain input.
    InputSm2,
    /// SM3 of the text of the plain input.
    InputSm3,
}

/// Where a drug's trace codes (药品追溯码) are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceCodes {
    /// 3505, in `drugtracinfo`.
    Sale,
    /// 3505, one code in `drug_trac_codg`.
    SaleSingle,
    /// The settlement, in `drug_trac_info`, and 3505 again.
    Settlement,
}

/// How a province writes its reconciliation (3201, 3202).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementStyle {
    /// Values of stmt_rslt: both sides agree.
    pub balanced: Vec<String>,
    /// The agency holds more.
    pub agency_more: Vec<String>,
    /// The terminal holds more.
    pub terminal_more: Vec<String>,
    /// Both hold it, with other amounts.
    pub differs: Vec<String>,
    /// Between the cells of the file of 3202 and of its result.
    pub separator: String,
    /// What stands in an empty cell.
    pub null: String,
    /// The file has an eighth column, exp_content.
    pub exp_content_column: bool,
}

/// A profile that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No built-in profile has this name.
    #[error("no profile is called {name:?}; there are {known}")]
    NotFound {
        /// The name asked for.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The file can't be read.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The TOML is not understood.
    #[error("line {line}: {}", source.message())]
    Unreadable {
        /// Where.
        line: usize,
        /// Why.
        source: Box<toml::de::Error>,
    },
}

impl ProfileError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ProfileError::NotFound { .. } => "PROFILE_NOT_FOUND",
            ProfileError::File { .. } => "PROFILE_FILE_UNREADABLE",
            ProfileError::Unreadable { .. } => "PROFILE_UNREADABLE",
        }
    }
}

const BUILT_IN: [(&str, &str); 5] = [
    ("plain", include_str!("../profiles/plain.toml")),
    ("hebei", include_str!("../profiles/hebei.toml")),
    ("hubei", include_str!("../profiles/hubei.toml")),
    ("jilin", include_str!("../profiles/jilin.toml")),
    ("guangdong", include_str!("../profiles/guangdong.toml")),
];

impl Profile {
    /// The names of the built-in profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A built-in profile by name; `hebei-like` is `hebei`.
    pub fn built_in(name: &str) -> Result<Profile, ProfileError> {
        let plain = name.strip_suffix("-like").unwrap_or(name);
        let found = BUILT_IN.iter().find(|(known, _)| *known == plain);
        let (_, text) = found.ok_or_else(|| ProfileError::NotFound {
            name: name.to_owned(),
            known: Profile::names().collect::<Vec<_>>().join(", "),
        })?;
        Profile::from_toml(text)
    }

    /// The profile meant by a name, or by the path of a TOML file.
    pub fn named(name: &str) -> Result<Profile, ProfileError> {
        if !Profile::is_file(name) {
            return Profile::built_in(name);
        }
        let text = fs::read_to_string(name).map_err(|source| ProfileError::File {
            file: name.into(),
            source,
        })?;
        Profile::from_toml(&text)
    }

    /// Whether a name is the path of a file: with a `/`, or ending in `.toml`.
    pub fn is_file(name: &str) -> bool {
        name.contains('/') || name.ends_with(".toml")
    }

    /// A profile from its TOML text.
    pub fn from_toml(text: &str) -> Result<Profile, ProfileError> {
        toml::from_str(text).map_err(|source: toml::de::Error| {
            let before = source.span().and_then(|span| text.get(..span.start));
            ProfileError::Unreadable {
                line: before.unwrap_or_default().matches('\n').count() + 1,
                source: Box::new(source),
            }
        })
    }

    /// The province's number of a transaction.
    pub fn number_of<'a>(&'a self, national: &'a str) -> &'a str {
        self.variants.get(national).map_or(national, String::as_str)
    }

    /// The national number of a province's transaction: its variant's, or the number without its letter.
    pub fn national_of<'a>(&'a self, infno: &'a str) -> &'a str {
        if let Some((national, _)) = self.variants.iter().find(|(_, own)| *own == infno) {
            return national;
        }
        let number = infno.trim_end_matches(|end: char| end.is_ascii_alphabetic());
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if digits { number } else { infno }
    }

    /// Path of a transaction below the agency's address, by the province's number. A number that has no service of
    /// its own goes by the national one's, and where there is none either, under its number.
    pub fn path_of(&self, infno: &str) -> String {
        let service = self
            .services
            .get(infno)
            .or_else(|| self.services.get(self.national_of(infno)));
        self.path
            .replace("{infno}", infno)
            .replace("{service}", service.map_or(infno, String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_loads_under_its_name() {
        for name in Profile::names() {
            assert_eq!(Profile::built_in(name).unwrap().name, name);
        }
        assert_eq!(Profile::built_in("jilin-like").unwrap().name, "jilin");
        let error = Profile::built_in("nowhere").unwrap_err();
        assert_eq!(error.code(), "PROFILE_NOT_FOUND");
        assert!(error.to_string().contains("hubei"), "{error}");
    }

    #[test]
    fn every_transaction_has_a_path_of_its_own_where_the_province_gives_one() {
        let profile = Profile::built_in("hebei").unwrap();
        assert_eq!(profile.number_of("2207"), "2207A");
        assert_eq!(profile.national_of("2207A"), "2207");
        assert_eq!(profile.national_of("2203"), "2203");
        assert_eq!(
            profile.path_of("2207A"),
            "/fsi/api/outpatientSettleService/saveSettletment"
        );
        assert_eq!(
            profile.path_of("2207"),
            "/fsi/api/outpatientSettleService/saveSettletmentV2"
        );
        let mut paths: Vec<String> = profile
            .services
            .keys()
            .map(|infno| profile.path_of(infno))
            .collect();
        let count = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), count, "two transactions share a path");
        let one_for_all = Profile::built_in("jilin").unwrap();
        assert_eq!(one_for_all.path_of("1101"), one_for_all.path_of("2102"));
    }

    #[test]
    fn a_profile_may_be_a_file_and_what_is_wrong_with_it_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("own.toml");
        let name = file.to_str().unwrap();
        let plain = BUILT_IN[0].1;
        assert_eq!(
            Profile::named(name).unwrap_err().code(),
            "PROFILE_FILE_UNREADABLE"
        );
        fs::write(&file, plain.replace("name = \"plain\"", "name = \"own\"")).unwrap();
        assert_eq!(Profile::named(name).unwrap().name, "own");
        assert_eq!(Profile::named("plain").unwrap().name, "plain");
        let line = plain
            .lines()
            .position(|line| line.starts_with("headers"))
            .unwrap()
            + 1;
        for (text, shown) in [
            (format!("surprise = 1\n{plain}"), "line 1: ".to_owned()),
            (
                plain.replace("headers = \"none\"", "headers = \"some\""),
                format!("line {line}: "),
            ),
            (
                format!("{plain}\nsurprise = 1\n"),
                format!("line {}: ", plain.lines().count() + 2),
            ),
        ] {
            fs::write(&file, &text).unwrap();
            let error = Profile::named(name).unwrap_err();
            assert_eq!(error.code(), "PROFILE_UNREADABLE");
            assert!(error.to_string().starts_with(&shown), "{error}, not {shown}");
        }
    }
}
