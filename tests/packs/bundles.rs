//! Signed bundles: what is refused, what stays in use, and that the till settles by what is installed. Keys are made
//! by openssl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use yijie::commands::{self, OtherAgency, Out, Till, window};
use yijie::desk::{self, State};
use yijie::runtime;
use yijie_rules::Lang;

use crate::common::served::Served;
use crate::common::{Chance, Ended, Shop, claim, person, run, sale};
use crate::{DEDUCTIBLES, changed_pack};

/// No bundle takes that long to be taken up unless the window hangs.
const HANG: Duration = Duration::from_secs(600);
/// A far day.
const UNTIL: &str = "2099-12-31";

struct Issuer {
    dir: tempfile::TempDir,
}

impl Issuer {
    fn new() -> Issuer {
        let issuer = Issuer {
            dir: tempfile::tempdir().unwrap(),
        };
        issuer.make_key("issuer", &["-algorithm", "ed25519"]);
        issuer
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn make_key(&self, name: &str, kind: &[&str]) {
        let openssl = |args: &[&str]| {
            let done = Command::new("openssl")
                .args(args)
                .current_dir(self.dir.path())
                .output();
            let done = done.expect("openssl is installed");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        let (secret, public) = (format!("{name}.key"), format!("{name}.pem"));
        openssl(&[&["genpkey", "-out", &secret], kind].concat());
        openssl(&["pkey", "-in", &secret, "-pubout", "-out", &public]);
    }

    /// Kunming's pack with another deductible of level 2, under a version of its own.
    fn packs(&self, deductible: &str) -> PathBuf {
        let dir = self.path(&format!("packs-{deductible}"));
        let figures = format!(r#"table = {{ "1" = "30.00", "2" = "{deductible}", "3" = "90.00" }}"#);
        changed_pack(&dir, DEDUCTIBLES, &figures);
        let file = dir.join("530100/employee.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(
            &file,
            text.replace("version = \"2027", &format!("version = \"2027.{deductible}")),
        )
        .unwrap();
        dir
    }

    fn sign_by(&self, key: &str, packs: &Path, version: &str, more: &[&str], to: &str) -> Ended {
        let (key, to) = (self.path(key), self.path(to));
        let head = [
            "packs",
            "sign",
            packs.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
        ];
        let tail = ["--bundle-version", version, "--to", to.to_str().unwrap()];
        run([&head[..], &tail[..], more].concat(), "")
    }

    /// A bundle with that deductible.
    fn bundle(&self, version: &str, deductible: &str) -> PathBuf {
        let name = format!("{version}.bundle");
        let packs = self.packs(deductible);
        self.sign_by("issuer.key", &packs, version, &["--until", UNTIL], &name)
            .exit(0);
        self.path(&name)
    }
}

fn install(shop: &Shop, bundle: &Path, key: Option<&Path>) -> Ended {
    let mut args = vec!["packs", "install", bundle.to_str().unwrap(), "--json"];
    if let Some(key) = key {
        args.extend(["--key", key.to_str().unwrap()]);
    }
    shop.run(&args)
}

/// The deductible the till takes from a sale it commits without network.
fn deductible(shop: &Shop, id: &str) -> Value {
    let sold = shop.sell(&["--offline"], &[sale(id, &person(1), "1000.00")]);
    sold[0]["setlinfo"]["act_pay_dedc"].clone()
}

#[test]
fn the_agencys_bundle_is_fetched_checked_and_settled_by() {
    let (issuer, shop) = (Issuer::new(), Shop::open());
    let key = issuer.path("issuer.pem");
    let fetch = |more: &[&str]| shop.run(&[&["packs", "fetch", "--json"], more].concat());
    fetch(&[]).exit(2).says_json("BUNDLE_NOT_OFFERED");
    let offer = |bundle: &Path| {
        let zip = yijie_agency::pack("rule_packs.bundle", &fs::read(bundle).unwrap()).unwrap();
        fs::write(shop.agency.data.join("rule_packs.zip"), zip).unwrap();
    };
    offer(&issuer.bundle("5", "40.00"));
    fetch(&[]).exit(3).says_json("BUNDLE_NO_KEY");
    let told = fetch(&["--key", key.to_str().unwrap()]).exit(0).json();
    assert_eq!(told["version"], 5);
    assert_eq!(deductible(&shop, "five"), "40.00");
    // The same again is nothing new; another issuer's is refused, and a cut-off file is none.
    assert_eq!(fetch(&[]).exit(0).json()["version"], Value::Null);
    offer(&Issuer::new().bundle("6", "10.00"));
    fetch(&[]).exit(3).says_json("BUNDLE_OTHER_KEY");
    fs::write(shop.agency.data.join("rule_packs.zip"), b"PK half a file").unwrap();
    fetch(&[]).exit(3).says_json("AGENCY_BODY_UNREADABLE");
    assert_eq!(deductible(&shop, "still five"), "40.00");
}

#[test]
fn the_till_settles_by_what_is_installed_and_by_nothing_older() {
    let (issuer, shop) = (Issuer::new(), Shop::open());
    assert_eq!(deductible(&shop, "built-in"), "60.00");
    let key = issuer.path("issuer.pem");
    let first = issuer.bundle("5", "40.00");
    // Without a pinned key nothing is installed; the key is pinned with the first bundle.
    install(&shop, &first, None).exit(3).says_json("BUNDLE_NO_KEY");
    let told = install(&shop, &first, Some(&key)).exit(0).json();
    assert_eq!(
        (&told["version"], &told["algorithm"]),
        (&json!(5), &json!("ed25519"))
    );
    assert_eq!(deductible(&shop, "five"), "40.00");
    let listed = shop.run(&["packs", "--json"]).exit(0).json();
    let kunming = |pack: &&Value| pack["id"] == "kunming-employee";
    let version = &listed.as_array().unwrap().iter().find(kunming).unwrap()["version"];
    assert!(version.as_str().unwrap().starts_with("2027.40.00"), "{version}");
    // The same again, an older one, another key, another issuer.
    let stranger = Issuer::new();
    for (bundle, key, code) in [
        (first.clone(), None, "BUNDLE_NOT_NEWER"),
        (issuer.bundle("4", "30.00"), None, "BUNDLE_NOT_NEWER"),
        (
            issuer.bundle("6", "20.00"),
            Some(stranger.path("issuer.pem")),
            "BUNDLE_OTHER_KEY",
        ),
        (stranger.bundle("8", "10.00"), None, "BUNDLE_OTHER_KEY"),
    ] {
        install(&shop, &bundle, key.as_deref()).exit(3).says_json(code);
    }
    assert_eq!(deductible(&shop, "still five"), "40.00");
    // Verified against what is installed, without installing it.
    let sixth = issuer.path("6.bundle");
    shop.run(&["packs", "verify", sixth.to_str().unwrap()]).exit(0);
    shop.run(&["packs", "verify", first.to_str().unwrap()])
        .exit(3)
        .says("BUNDLE_NOT_NEWER");
    install(&shop, &sixth, None).exit(0);
    assert_eq!(deductible(&shop, "six"), "20.00");
    // An installed file that is spoilt afterwards is told, and put back from the journal when the till opens.
    let spoilt = shop.data.join("packs/00000000000000000006.bundle");
    let text = fs::read_to_string(&spoilt).unwrap();
    fs::write(&spoilt, text.replace("\"20.00", "\"00.02")).unwrap();
    shop.run(&["packs"]).exit(0).says("BUNDLE_TAMPERED");
    assert_eq!(deductible(&shop, "six again"), "20.00");
    assert_eq!(fs::read_to_string(&spoilt).unwrap(), text);
    // So are key and bundle where the whole shelf is gone; an older one slipped in meanwhile is not settled by.
    fs::remove_dir_all(shop.data.join("packs")).unwrap();
    install(&shop, &first, Some(&key)).exit(0);
    assert_eq!(deductible(&shop, "not five"), "20.00");
    fs::remove_dir_all(shop.data.join("packs")).unwrap();
    assert_eq!(deductible(&shop, "six still"), "20.00");
    install(&shop, &first, None).exit(3).says_json("BUNDLE_NOT_NEWER");
}

#[test]
fn a_bundle_that_was_touched_anywhere_is_refused() {
    let issuer = Issuer::new();
    let bundle = fs::read(issuer.bundle("1", "40.00")).unwrap();
    let key = issuer.path("issuer.pem");
    let verify = |bytes: &[u8]| {
        let file = issuer.path("touched.bundle");
        fs::write(&file, bytes).unwrap();
        run(
            [
                "packs",
                "verify",
                file.to_str().unwrap(),
                "--key",
                key.to_str().unwrap(),
            ],
            "",
        )
    };
    verify(&bundle).exit(0);
    let mut chance = Chance::new();
    for round in 0..40 {
        let mut bytes = bundle.clone();
        // the header every time first, then anywhere
        let end = if round < 15 { 300 } else { bytes.len() as u64 };
        let at = usize::try_from(chance.below(end)).unwrap();
        match round % 3 {
            0 => bytes[at] ^= 1 << chance.below(7),
            1 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        let told = verify(&bytes).exit(3);
        assert!(told.err.starts_with("BUNDLE_"), "byte {at}: {}", told.err);
        assert_eq!(told.out, "", "byte {at}");
    }
    for garbage in ["", "yijie-packs 1\n", "{}", "\u{feff}"] {
        verify(garbage.as_bytes()).exit(3).says("BUNDLE_UNREADABLE");
    }
}

#[test]
fn days_packs_and_keys_are_checked_before_anything_is_signed_or_installed() {
    let (issuer, shop) = (Issuer::new(), Shop::open());
    let key = issuer.path("issuer.pem");
    let packs = issuer.packs("40.00");
    let sign = |more: &[&str], to: &str| issuer.sign_by("issuer.key", &packs, "3", more, to);
    sign(&["--from", "2026-02-01", "--until", "2026-01-31"], "x")
        .exit(3)
        .says("BUNDLE_DATES");
    // Over since long.
    sign(&["--from", "2024-01-01", "--until", "2024-12-31"], "over").exit(0);
    install(&shop, &issuer.path("over"), Some(&key))
        .exit(3)
        .says_json("BUNDLE_EXPIRED");
    assert!(
        !shop.data.join("packs").exists(),
        "nothing of it stays, not even the key"
    );
    // Not begun yet: installed, in force from its day on.
    sign(&["--from", "2098-01-01", "--until", UNTIL], "early").exit(0);
    install(&shop, &issuer.path("early"), Some(&key)).exit(0);
    assert_eq!(deductible(&shop, "not yet"), "60.00");
    // A mistake in a pack, a changed text under a known version, no pack at all, no key.
    let broken = issuer.path("broken");
    changed_pack(&broken, DEDUCTIBLES, r#"table = { "1" = "30.00" }"#);
    let until = &["--until", UNTIL];
    issuer
        .sign_by("issuer.key", &broken, "9", until, "x")
        .exit(3)
        .says("BUNDLE_PACK_BROKEN");
    let same = issuer.path("same");
    fs::create_dir_all(&same).unwrap();
    fs::write(
        same.join("k.toml"),
        crate::KUNMING.replace("value = \"6000.00\"", "value = \"9000.00\""),
    )
    .unwrap();
    issuer
        .sign_by("issuer.key", &same, "9", until, "x")
        .exit(3)
        .says("BUNDLE_PACK_VERSION");
    let empty = issuer.path("empty");
    fs::create_dir_all(&empty).unwrap();
    issuer
        .sign_by("issuer.key", &empty, "9", until, "x")
        .exit(3)
        .says("BUNDLE_UNREADABLE");
    issuer
        .sign_by("issuer.pem", &packs, "9", until, "x")
        .exit(3)
        .says("BUNDLE_KEY_UNREADABLE");
    // The overlays of the sandbox travel too, whatever the order of their names.
    let sandbox = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/packs/sandbox");
    issuer
        .sign_by("issuer.key", &sandbox, "4", until, "sandbox")
        .exit(0);
    install(&shop, &issuer.path("sandbox"), None).exit(0);
    let listed = shop.run(&["packs", "--json"]).exit(0).json();
    let missing = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|pack| pack["missing"].as_array().unwrap().len());
    assert_eq!(missing.sum::<usize>(), 0);
}

#[test]
fn made_up_figures_are_used_where_the_till_says_so_and_show_their_grade() {
    let shop = Shop::open();
    let mut resident = claim(&person(3), "1000.00");
    resident["person"]["insutype"] = json!("390");
    resident["person"]["psn_type"] = json!("14");
    resident["person"]["insuplc_admdvs"] = json!("532500");
    resident["visit"]["mdtrtarea_admvs"] = json!("532500");
    resident["accounts"] = json!({});
    let mut sold = |id: &str| {
        resident["sale"] = json!(id);
        shop.sell(&["--offline"], &[resident.clone()]).remove(0)
    };
    assert_eq!(sold("by the book")["code"], "FIGURE_NOT_PUBLISHED");
    let file = shop.data.join("yijie.toml");
    let settings = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("sandbox_figures = true\n{settings}")).unwrap();
    let shown = sold("shown");
    assert_eq!(shown["grade"], "sandbox", "{shown}");
}

#[test]
fn what_changes_is_said_in_words() {
    let issuer = Issuer::new();
    let bundle = issuer.bundle("1", "40.00");
    let bundle = bundle.to_str().unwrap();
    // a bundle changes nothing before its first day
    let told = run(
        [
            "packs",
            "verify",
            bundle,
            "--json",
            "--key",
            issuer.path("issuer.pem").to_str().unwrap(),
        ],
        "",
    );
    let today = told.exit(0).json()["from"].as_str().unwrap().to_owned();
    for (lang, parts) in [
        (
            "zh",
            [
                "kunming-employee",
                &format!("{today} 起"),
                "普通门诊起付标准",
                "2 级",
                "60.00 → 40.00",
            ],
        ),
        (
            "en",
            [
                "kunming-employee",
                &format!("from {today}"),
                "outpatient-deductible",
                "level 2",
                "60.00 → 40.00",
            ],
        ),
    ] {
        let told = run(["packs", "diff", "builtin", bundle, "--lang", lang], "")
            .exit(0)
            .out;
        for part in parts {
            assert!(told.contains(part), "{part} in\n{told}");
        }
        assert_eq!(
            told.lines().count(),
            2,
            "the version and the figure, nothing else:\n{told}"
        );
    }
    let same = run(["packs", "diff", "builtin", "builtin", "--json"], "")
        .exit(0)
        .json();
    assert_eq!(same, json!([]));
    let back = run(["packs", "diff", bundle, "builtin", "--json"], "")
        .exit(0)
        .json();
    let says: Vec<&str> = back
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["says"].as_str())
        .collect();
    assert!(says.iter().any(|says| says.contains("40.00 → 60.00")), "{says:?}");
    run(["packs", "diff", "builtin", "/nowhere"], "")
        .exit(3)
        .says("FILE_FAILED");
}

#[test]
fn a_bundle_may_be_signed_with_sm2() {
    let (issuer, shop) = (Issuer::new(), Shop::open());
    issuer.make_key("sm2", &["-algorithm", "ec", "-pkeyopt", "ec_paramgen_curve:SM2"]);
    let packs = issuer.packs("40.00");
    let told = issuer.sign_by("sm2.key", &packs, "1", &["--until", UNTIL], "sm2.bundle");
    assert!(told.exit(0).out.contains("sm2 "));
    let (bundle, key) = (issuer.path("sm2.bundle"), issuer.path("sm2.pem"));
    let touched = issuer.path("touched.bundle");
    let text = fs::read_to_string(&bundle).unwrap();
    fs::write(
        &touched,
        text.replace("\"40.00", "\"04.00")
            .replace("\\\"40.00", "\\\"04.00"),
    )
    .unwrap();
    install(&shop, &touched, Some(&key))
        .exit(3)
        .says_json("BUNDLE_TAMPERED");
    assert_eq!(
        install(&shop, &bundle, Some(&key)).exit(0).json()["algorithm"],
        "sm2"
    );
    assert_eq!(deductible(&shop, "by sm2"), "40.00");
    // A bundle of the other algorithm is another key's.
    install(&shop, &issuer.bundle("2", "30.00"), None)
        .exit(3)
        .says_json("BUNDLE_OTHER_KEY");
}

#[test]
fn an_open_window_takes_a_newer_bundle_up() {
    let (issuer, shop) = (Issuer::new(), Shop::open());
    let tasks = commands::tasks().unwrap();
    let _inside = tasks.enter();
    let out = Out {
        json: false,
        lang: Lang::Zh,
    };
    let agency = OtherAgency { url: None, tls: None };
    let till = Till::open_with(&shop.data, &agency, None, out).unwrap();
    let (runtime, mut state, events) = window::counter(&till, out).unwrap();
    let version = |state: &State| {
        let pack = state.setup.packs.get("kunming-employee").unwrap();
        pack.version().to_owned()
    };
    let before = version(&state);
    let bundle = issuer.bundle("5", "40.00");
    install(&shop, &bundle, Some(&issuer.path("issuer.pem"))).exit(0);
    let began = Instant::now();
    runtime::run(&runtime, &mut state, &events, |state| {
        assert!(began.elapsed() < HANG, "still {}", version(state));
        let told = |notice: &desk::Notice| notice.code == "PACKS_RENEWED";
        !state.notice.as_ref().is_some_and(told)
    });
    assert!(version(&state).starts_with("2027.40.00"), "{}", version(&state));
    assert_ne!(version(&state), before);
    let kept = till.books.pack(&format!("kunming-employee@{}", version(&state)));
    assert!(
        kept.unwrap().is_some(),
        "whole in the journal before it is settled by"
    );
}

#[test]
fn a_till_that_serves_settles_by_packs_installed_beside_it() {
    let (issuer, shop) = (Issuer::new(), Shop::open());
    let till = Served::start(&shop);
    let deductible = || {
        let order = claim(&person(1), "1000.00");
        let (status, split) = till.ask("POST", "/split", &order);
        assert_eq!(status, 200, "{split}");
        split["setlinfo"]["act_pay_dedc"].clone()
    };
    assert_eq!(deductible(), "60.00");
    let key = issuer.path("issuer.pem");
    install(&shop, &issuer.bundle("5", "40.00"), Some(&key)).exit(0);
    let began = Instant::now();
    while deductible() == "60.00" {
        assert!(began.elapsed() < HANG);
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(deductible(), "40.00");
    till.stop();
}
