//! What a key may hold: one function for each kind of value.
//!
//! Each takes any TOML value and either gives the type that the rest of the program trusts, or an error that reads
//! "expected …" and never repeats the value.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use toml::Value;
use url::Url;

use crate::model::seconds::Seconds;

fn expected<E: Error>(what: impl Display) -> E {
    E::custom(format_args!("expected {what}"))
}

/// A whole number from `MIN` to `MAX`.
pub(super) fn whole<'de, const MIN: i64, const MAX: i64, T: TryFrom<i64>, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    whole_of::<MIN, MAX, D>(from, "a whole number")
        .and_then(|number| T::try_from(number).map_err(|_| expected("a smaller number")))
}

/// A whole number of milliseconds from `MIN` to `MAX`.
pub(super) fn millis<'de, const MIN: i64, const MAX: i64, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    whole_of::<MIN, MAX, D>(from, "a whole number of milliseconds").map(|n| Duration::from_millis(n.unsigned_abs()))
}

/// A whole number of KiB from `MIN` to `MAX`, as bytes.
pub(super) fn kib<'de, const MIN: i64, const MAX: i64, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    bytes(whole_of::<MIN, MAX, D>(from, "a whole number of KiB")?, 1024)
}

/// A whole number of MiB from `MIN` to `MAX`, as bytes.
pub(super) fn mib<'de, const MIN: i64, const MAX: i64, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    bytes(whole_of::<MIN, MAX, D>(from, "a whole number of MiB")?, 1024 * 1024)
}

fn bytes<E: Error>(number: i64, unit: usize) -> Result<usize, E> {
    usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| expected("a size that fits this machine"))
}

fn whole_of<'de, const MIN: i64, const MAX: i64, D: Deserializer<'de>>(from: D, what: &str) -> Result<i64, D::Error> {
    match Value::deserialize(from)? {
        Value::Integer(number) if (MIN..=MAX).contains(&number) => Ok(number),
        _ => Err(expected(format_args!("{what} from {MIN} to {MAX}"))),
    }
}

/// A finite number from `MIN_MILLI` thousandths to `MAX`.
pub(super) fn number<'de, const MIN_MILLI: i32, const MAX: i32, D: Deserializer<'de>>(
    from: D,
) -> Result<f64, D::Error> {
    number_of::<MIN_MILLI, MAX, D>(from, "a number")
}

/// Seconds of the wall, from `MIN_MILLI` thousandths to `MAX`.
pub(super) fn wall_secs<'de, const MIN_MILLI: i32, const MAX: i32, D: Deserializer<'de>>(
    from: D,
) -> Result<Duration, D::Error> {
    bot_secs::<MIN_MILLI, MAX, D>(from).map(Seconds::duration)
}

/// Seconds of bots' time, from `MIN_MILLI` thousandths to `MAX`.
pub(super) fn bot_secs<'de, const MIN_MILLI: i32, const MAX: i32, D: Deserializer<'de>>(
    from: D,
) -> Result<Seconds, D::Error> {
    number_of::<MIN_MILLI, MAX, D>(from, "a number of seconds").map(Seconds::clamped)
}

fn number_of<'de, const MIN_MILLI: i32, const MAX: i32, D: Deserializer<'de>>(
    from: D,
    what: &str,
) -> Result<f64, D::Error> {
    let least = f64::from(MIN_MILLI) / 1000.0;
    let number = match Value::deserialize(from)? {
        Value::Float(number) => Some(number),
        #[expect(clippy::cast_precision_loss, reason = "numbers in range are far below 2^53")]
        Value::Integer(number) => Some(number as f64),
        _ => None,
    };
    number
        .filter(|number| (least..=f64::from(MAX)).contains(number))
        .ok_or_else(|| expected(format_args!("{what} from {least} to {MAX}")))
}

/// `true` or `false`.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    match Value::deserialize(from)? {
        Value::Boolean(flag) => Ok(flag),
        _ => Err(expected("true or false")),
    }
}

/// A text of 1 to `MAX` characters, none of them a control character.
pub(super) fn text<'de, const MAX: usize, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    string(from)?
        .filter(|text| !text.is_empty() && text.chars().count() <= MAX && !text.contains(char::is_control))
        .ok_or_else(|| expected(format_args!("a text of 1 to {MAX} characters")))
}

/// The path of a folder.
pub(super) fn folder<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    string(from)?
        .filter(|text| !text.is_empty() && !text.contains('\0'))
        .map(PathBuf::from)
        .ok_or_else(|| expected("the path of a folder, as a text"))
}

/// The path of a file.
pub(super) fn file<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    string(from)?
        .filter(|text| !text.is_empty() && !text.contains(char::is_control))
        .map(PathBuf::from)
        .ok_or_else(|| expected("the path of a file, as a text"))
}

/// The name of an environment variable.
pub(super) fn variable<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    string(from)?
        .filter(|name| {
            !name.starts_with(|c: char| c.is_ascii_digit())
                && (1..=128).contains(&name.len())
                && !name.starts_with(TOKEN)
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
        .ok_or_else(|| {
            expected("the name of an environment variable, such as \"FLEET_ADMIN_TOKEN\", and not the secret itself")
        })
}

/// The text with dots over what is likely a secret: service tokens, keys of model providers, and the user and password of
/// an address. It keeps its length in characters.
pub(super) fn conceal(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let begins = |chars: &[char], at: usize, mark: &str| chars[at..].iter().copied().take(mark.len()).eq(mark.chars());
    let ends = |c: &char| c.is_whitespace() || "\"'`,]})".contains(*c);
    for at in 0..chars.len() {
        let is_within_word = at > 0 && chars[at - 1].is_alphanumeric();
        let key = KEYS.iter().find(|mark| !is_within_word && begins(&chars, at, mark)).copied();
        let hidden = if let Some(mark) = key.or_else(|| begins(&chars, at, TOKEN).then_some(TOKEN)) {
            let from = at + mark.len();
            let length = chars[from..].iter().take_while(|c| !ends(c)).count();
            from..from + length
        } else if begins(&chars, at, "://") {
            let from = at + 3;
            let length = chars[from..].iter().take_while(|c| !ends(c)).count();
            from..chars[..from + length].iter().rposition(|c| *c == '@').map_or(from, |last| last.max(from))
        } else {
            continue;
        };
        chars[hidden].fill('•');
    }
    chars.into_iter().collect()
}

/// How keys of OpenAI, Anthropic and OpenRouter begin, of Google, Groq, xAI and Hugging Face.
const KEYS: [&str; 5] = ["sk-", "AIza", "gsk_", "xai-", "hf_"];
/// How service tokens begin.
const TOKEN: &str = "fst_";

/// An IP address and a port.
pub(super) fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    string(from)?
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| expected("an IP address and a port, such as \"127.0.0.1:4748\" or \"[::1]:4748\""))
}

/// A word that stands for nothing, or the address of a server.
pub(super) fn word_or_url<'de, D: Deserializer<'de>>(from: D, word: &str) -> Result<Option<Url>, D::Error> {
    let what = format!("\"{word}\", or an address such as \"https://api.floimg.com\"");
    let text = string(from)?.ok_or_else(|| expected(&what))?;
    if text == word { Ok(None) } else { url_of(&text, &what).map(Some) }
}

/// The address of a server; `what` says what it is like.
pub(super) fn url<'de, D: Deserializer<'de>>(from: D, what: &str) -> Result<Url, D::Error> {
    url_of(&string(from)?.ok_or_else(|| expected(what))?, what)
}

fn url_of<E: Error>(text: &str, what: &str) -> Result<Url, E> {
    let url = Url::parse(text).map_err(|_| expected(what))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(expected(what));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(expected("an address without user, password, `?` or `#`"));
    }
    Ok(url)
}

/// One of a few words.
pub(super) fn one_of<'de, T: Copy, D: Deserializer<'de>>(from: D, words: &[(&str, T)]) -> Result<T, D::Error> {
    let text = string(from)?;
    words.iter().find(|(word, _)| text.as_deref() == Some(*word)).map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        expected(words.join(" or "))
    })
}

/// A log filter.
pub(super) fn log_filter<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    string(from)?
        .filter(|text| !text.trim().is_empty() && tracing_subscriber::EnvFilter::builder().parse(text).is_ok())
        .ok_or_else(|| {
            expected(
                "a level (\"error\", \"warn\", \"info\", \"debug\", \"trace\") or pairs such as \"info,sqlx=warn\"",
            )
        })
}

/// Names to names.
pub(super) fn names<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Name(String);
    impl<'de> Deserialize<'de> for Name {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            text::<64, D>(from).map(Self)
        }
    }
    let names = BTreeMap::<String, Name>::deserialize(from)?;
    Ok(names.into_iter().map(|(wish, Name(name))| (wish, name)).collect())
}

fn string<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}
