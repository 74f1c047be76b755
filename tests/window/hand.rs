//! The cashier's hand and eye: keys into the window, the loop run until the counter looks as it should, pictures.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use i_slint_backend_testing::{
    ElementHandle, ElementQuery, TestingBackend, TestingBackendOptions, mock_elapsed_time,
};
use yijie::desk::{Event, Page, State};
use yijie::runtime::{self, Runtime};
use yijie::view::{self, Screen};
use yijie_rules::Lang;
use yijie_ui::slint::platform::{Key, WindowEvent, set_platform};
use yijie_ui::slint::{ComponentHandle as _, Model as _, PhysicalSize, SharedString};
use yijie_ui::{AppWindow, Receipt};

use crate::fit;
use crate::stage::{OPERATOR, PIN, Stage, reader_in};

/// No step takes that long unless it hangs.
const HANG: Duration = Duration::from_secs(60);
const SIZES: [(u32, u32); 2] = [(1366, 768), (1920, 1080)];

/// What stands on the paper of the receipt page, scrolled into sight or not: Chinese whatever the screen.
fn paper(window: &AppWindow) -> Vec<String> {
    let receipt = window.global::<Receipt<'_>>();
    let rows = receipt.get_rows();
    let texts = rows.iter().flat_map(|row| [row.left, row.right]);
    std::iter::once(receipt.get_title())
        .chain(texts)
        .map(|text| text.to_string())
        .collect()
}

/// The till, its window and whoever works at it.
pub struct Hand {
    pub window: AppWindow,
    pub stage: Stage,
    pub state: State,
    runtime: Runtime,
    events: Receiver<Event>,
    shown: Screen,
    story: &'static str,
    pictures: u32,
    faults: BTreeSet<String>,
}

/// Runs a story in a window of its own, on a thread of its own: a platform belongs to one thread.
pub fn at_the_till(story: &'static str, tell: impl FnOnce(&mut Hand) + Send + 'static) {
    let told = std::thread::Builder::new()
        .name(story.to_owned())
        .spawn(move || {
            set_platform(Box::new(TestingBackend::new(TestingBackendOptions {
                mock_time: true,
                threading: false,
                renderer_name: Some("software".into()),
            })))
            .expect("one platform a thread");
            let mut hand = Hand::new(story);
            tell(&mut hand);
            let faults: Vec<&str> = hand.faults.iter().map(String::as_str).collect();
            assert!(faults.is_empty(), "\n{}", faults.join("\n"));
        })
        .unwrap()
        .join();
    if let Err(cause) = told {
        std::panic::resume_unwind(cause);
    }
}

impl Hand {
    fn new(story: &'static str) -> Hand {
        for picture in std::fs::read_dir(folder()).into_iter().flatten().flatten() {
            let name = picture.file_name();
            if name
                .to_str()
                .is_some_and(|name| name.starts_with(&format!("{story}-")))
            {
                std::fs::remove_file(picture.path()).unwrap();
            }
        }
        let stage = Stage::set();
        let (runtime, state, events) = stage.counter();
        let window = AppWindow::new().unwrap();
        view::connect(&window, &runtime.events, &state.devices.fitted.trace_codes);
        let shown = Screen::of(&state);
        view::apply(&window, None, &shown);
        window
            .window()
            .set_size(PhysicalSize::new(SIZES[0].0, SIZES[0].1));
        window.show().unwrap();
        window
            .window()
            .dispatch_event(WindowEvent::WindowActiveChanged(true));
        let mut hand = Hand {
            window,
            stage,
            state,
            runtime,
            events,
            shown,
            story,
            pictures: 0,
            faults: BTreeSet::new(),
        };
        hand.settle();
        hand.happens([reader_in()]);
        hand
    }

    /// Lets pages be made, changes be noticed and the focus arrive.
    fn settle(&self) {
        for _ in 0..3 {
            mock_elapsed_time(Duration::from_millis(20));
            assert!(ElementQuery::from_root(&self.window).find_first().is_some());
        }
    }

    /// Something happens outside.
    pub fn happens(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.runtime.events.send(event).unwrap();
        }
    }

    /// Runs the real loop until the counter looks like this; the window shows every state on the way.
    #[track_caller]
    pub fn until(&mut self, what: &str, reached: impl Fn(&State) -> bool) {
        let deadline = Instant::now() + HANG;
        let (window, shown) = (&self.window, &mut self.shown);
        runtime::run(&self.runtime, &mut self.state, &self.events, |state| {
            let screen = Screen::of(state);
            if *shown != screen {
                view::apply(window, Some(shown), &screen);
                *shown = screen;
            }
            !reached(state) && Instant::now() < deadline
        });
        self.settle();
        assert!(
            reached(&self.state),
            "{what}: still on {:?}, told {:?}, sign-in {:?}",
            self.state.page,
            self.state.notice,
            self.state.sign_in_notice
        );
    }

    pub fn key(&mut self, key: impl Into<SharedString>) {
        let text = key.into();
        let window = self.window.window();
        window.dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
        window.dispatch_event(WindowEvent::KeyReleased { text });
        self.settle();
    }

    /// A key with Shift or Control held.
    pub fn chord(&mut self, held: Key, then: impl Into<SharedString>) {
        let held = SharedString::from(held);
        let window = self.window.window();
        window.dispatch_event(WindowEvent::KeyPressed { text: held.clone() });
        self.key(then);
        let window = self.window.window();
        window.dispatch_event(WindowEvent::KeyReleased { text: held });
    }

    pub fn types(&mut self, text: &str) {
        for letter in text.chars() {
            self.key(letter);
        }
    }

    /// What a scanner that is a keyboard does: the whole text and Enter, faster than the window is looked at.
    pub fn scans(&mut self, text: &str) {
        for letter in text.chars().map(SharedString::from).chain([Key::Return.into()]) {
            let window = self.window.window();
            window.dispatch_event(WindowEvent::KeyPressed { text: letter.clone() });
            window.dispatch_event(WindowEvent::KeyReleased { text: letter });
        }
        self.settle();
    }

    /// Types a text and Enter.
    pub fn enters(&mut self, text: &str) {
        self.types(text);
        self.key(Key::Return);
    }

    pub fn says(&self, text: &str) -> bool {
        ElementHandle::find_by_accessible_label(&self.window, text)
            .next()
            .is_some()
            || self.figures().iter().any(|figure| figure == text)
    }

    /// The large figures.
    fn figures(&self) -> Vec<String> {
        let banners = ElementQuery::from_root(&self.window)
            .match_inherits("Banner")
            .find_all();
        let values = banners.iter().filter_map(ElementHandle::accessible_value);
        values.map(|value| value.to_string()).collect()
    }

    /// Every text drawn.
    pub fn texts(&self) -> Vec<String> {
        let words = fit::texts(&self.window).into_iter().map(|(_, text, ..)| text);
        words.chain(self.figures()).collect()
    }

    /// The receipt has this in it, scrolled into sight or not.
    #[track_caller]
    pub fn must_print(&self, words: &[&str]) {
        let paper = paper(&self.window);
        for word in words {
            assert!(
                paper.iter().any(|text| text.contains(word)),
                "{word:?} is not on the paper: {paper:#?}"
            );
        }
    }

    #[track_caller]
    pub fn must_say(&self, texts: &[&str]) {
        for text in texts {
            assert!(
                self.says(text),
                "{text:?} is not on the screen: {:#?}",
                self.texts()
            );
        }
    }

    /// Some text on the screen has this in it.
    #[track_caller]
    pub fn must_mention(&self, words: &[&str]) {
        let texts = self.texts();
        for word in words {
            assert!(
                texts.iter().any(|text| text.contains(word)),
                "{word:?} is not on the screen: {texts:#?}"
            );
        }
    }

    pub fn speak(&mut self, lang: Lang) {
        if self.state.lang != lang {
            self.key(Key::F11);
            self.until("the language", move |state| state.lang == lang);
        }
    }

    pub fn sign_in(&mut self) {
        self.enters(OPERATOR);
        self.enters(PIN);
        self.until("signed in", |state| state.page == Page::Counter);
    }

    /// Pictures of the page as it is, in both languages and sizes, and what is wrong with them: cut texts, a
    /// language mixed into the other.
    pub fn look(&mut self, name: &str) {
        self.pictures(name, &SIZES);
    }

    /// The same at the smaller size only, where things are cut first.
    pub fn glance(&mut self, name: &str) {
        self.pictures(name, &SIZES[..1]);
    }

    fn pictures(&mut self, name: &str, sizes: &[(u32, u32)]) {
        self.pictures += 1;
        let before = self.state.lang;
        let mut seen = Vec::new();
        for lang in [Lang::Zh, Lang::En] {
            self.speak(lang);
            for &size in sizes {
                self.window.window().set_size(PhysicalSize::new(size.0, size.1));
                self.settle();
                let code = lang.pick("zh", "en");
                let scene = format!("{}-{:02}-{name}-{code}-{}", self.story, self.pictures, size.1);
                self.save(&scene);
                for fault in fit::overflows(&self.window, size) {
                    self.faults.insert(format!("{scene}: {fault}"));
                }
            }
            seen.push(self.texts());
        }
        self.window
            .window()
            .set_size(PhysicalSize::new(SIZES[0].0, SIZES[0].1));
        self.speak(before);
        for text in &seen[1] {
            if text.chars().any(chinese) && !self.is_data(text) {
                self.faults
                    .insert(format!("{}-{name}: {text:?} is not in English", self.story));
            }
        }
    }

    /// Names of people and goods, articles of Chinese law, the agency's own words, the receipt's paper.
    pub fn is_data(&self, text: &str) -> bool {
        const DATA: &[&str] = &[
            "周敏",
            "钱检查",
            "昆明翠湖社区医院",
            "昆政办",
            "昆明市",
            "服务协议",
            "中文",
            "医结",
        ];
        let goods = self.state.setup.catalogue.items().iter();
        text.contains('*')
            || DATA.iter().any(|data| text.contains(data))
            || goods
                .flat_map(|item| [&item.name, &item.spec])
                .any(|name| text.contains(name.as_str()))
            || paper(&self.window).iter().any(|row| row == text)
    }

    fn save(&self, name: &str) {
        std::fs::create_dir_all(folder()).unwrap();
        let picture = self.window.window().take_snapshot().unwrap();
        let file = File::create(folder().join(format!("{name}.png"))).unwrap();
        let mut encoder = png::Encoder::new(BufWriter::new(file), picture.width(), picture.height());
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        encoder.set_filter(png::Filter::Up);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(picture.as_bytes()).unwrap();
    }
}

/// Where the pictures are for people to look at.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("window")
}

pub fn chinese(letter: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&letter)
}
