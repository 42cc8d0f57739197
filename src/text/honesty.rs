//! Honesty: whether a text asks if its reader is a bot, and whether a text claims that its writer is a person.
//!
//! Read by phrases, in English and in the basics of German, Spanish, French and Portuguese. Both lean towards yes: an
//! honest answer nobody asked for does no harm, a missed question or a false claim does.

use super::fold;

/// Whether a text asks if its reader is a bot.
///
/// ```
/// assert!(floimg_fleet::text::asks_if_bot("wait, are you a bot?"));
/// assert!(!floimg_fleet::text::asks_if_bot("are you making robot art again?"));
/// ```
pub fn asks_if_bot(text: &str) -> bool {
    let tokens = tokens(text);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    (0..tokens.len()).any(|at| asks_at(&tokens, at)) || clauses(&tokens).any(only_asks)
}

/// Whether a text says that the one who writes is a person, or is no bot.
///
/// ```
/// assert!(floimg_fleet::text::claims_to_be_person("Ha, no, I'm a real person!"));
/// assert!(!floimg_fleet::text::claims_to_be_person("I'm a bot, not a person."));
/// ```
pub fn claims_to_be_person(text: &str) -> bool {
    let tokens = tokens(text);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    (0..tokens.len()).any(|at| claims_at(&tokens, at)) || clauses(&tokens).any(only_claims)
}

/// `[are you]`: the words ask, whatever sign ends the sentence.
const ASK: &[&str] = &[
    "are you",
    "are not you",
    "is this account",
    "is this user",
    "is this profile",
    "is this page",
    "is this person",
    "is this commenter",
    "is this comment",
    "is this reply",
    "is that account",
    "is the account",
    "is your account",
    "is op",
    "is the author",
    "am i talking to",
    "am i speaking to",
    "am i speaking with",
    "am i talking with",
    "am i chatting with",
    "am i writing to",
    "am i writing with",
    "am i replying to",
    "if you are",
    "whether you are",
    "that you are not",
    "if this account is",
    "prove you are",
    "prove you are not",
    "prove that you are",
    "swear you are",
    "do you identify as",
    "were you",
    "could you be",
    "might you be",
    "would you be",
    "bist du",
    "biste",
    "sind sie",
    "seid ihr",
    "ob du",
    "ob sie",
    "rede ich mit",
    "schreibe ich mit",
    "spreche ich mit",
    "es tu",
    "etes vous",
    "est ce que tu es",
    "est ce que vous etes",
    "si tu es",
    "si vous etes",
    "serais tu",
    "je parle a",
    "je parle avec",
    "parle je a",
    "eres tu",
    "es usted",
    "si eres",
    "hablo con",
    "hablando con",
    "sera que voce e",
    "se voce e",
    "falando com",
    "falo com",
    "ou es um",
    "sos vos",
];

/// `[you are]`: the words state, which asks about a bot, and about a person only before a question mark.
const STATE: &[&str] = &[
    "you are",
    "you",
    "this account is",
    "this profile is",
    "this user is",
    "this is",
    "is this",
    "is that",
    "is it",
    "du bist",
    "sie sind",
    "ihr seid",
    "ist das",
    "ist das hier",
    "ist dieser account",
    "tu es",
    "vous etes",
    "tes",
    "cest",
    "est ce",
    "eres",
    "sos",
    "usted es",
    "es esto",
    "esto es",
    "es esta cuenta",
    "voce e",
    "vc e",
    "tu es",
    "e voce",
    "isso e",
    "isto e",
    "esta conta e",
    "essa conta e",
];

/// Words that may stand between who is asked and what they might be.
const FILL: &[&str] = &[
    "a",
    "an",
    "the",
    "some",
    "any",
    "kind",
    "sort",
    "of",
    "just",
    "only",
    "actually",
    "even",
    "really",
    "truly",
    "secretly",
    "like",
    "maybe",
    "perhaps",
    "possibly",
    "by",
    "chance",
    "all",
    "honestly",
    "legit",
    "literally",
    "for",
    "in",
    "fact",
    "still",
    "one",
    "those",
    "these",
    "not",
    "simply",
    "basically",
    "also",
    "ai",
    "real",
    "actual",
    "living",
    "breathing",
    "genuine",
    "automated",
    "being",
    "or",
    "either",
    "be",
    "um",
    "uh",
    "another",
    "fellow",
    "100",
    "percent",
    "fully",
    "totally",
    "definitely",
    "very",
    "much",
    "so",
    "too",
    "here",
    "sure",
    "lol",
    "ein",
    "eine",
    "einen",
    "einem",
    "einer",
    "n",
    "nen",
    "ne",
    "nem",
    "echt",
    "echter",
    "echte",
    "echten",
    "wirklich",
    "eigentlich",
    "etwa",
    "nur",
    "auch",
    "denn",
    "vielleicht",
    "kein",
    "keine",
    "doch",
    "nicht",
    "ja",
    "eh",
    "richtiger",
    "wirkliche",
    "un",
    "una",
    "uno",
    "de",
    "verdad",
    "real",
    "solo",
    "realmente",
    "acaso",
    "tu",
    "usted",
    "no",
    "alguna",
    "algun",
    "es",
    "une",
    "vrai",
    "vraie",
    "vraiment",
    "seulement",
    "juste",
    "pas",
    "quun",
    "quune",
    "en",
    "fait",
    "bien",
    "um",
    "uma",
    "mesmo",
    "so",
    "apenas",
    "uma",
    "verdadeira",
    "verdadeiro",
    "nao",
    "ou",
];

/// What is no person.
const MACHINE: &[&str] = &[
    "bot",
    "bots",
    "chatbot",
    "robot",
    "robots",
    "ai",
    "ais",
    "chatgpt",
    "gpt",
    "llm",
    "automated",
    "automation",
    "computer",
    "program",
    "script",
    "machine",
    "android",
    "algorithm",
    "artificial",
    "synthetic",
    "npc",
    "fake",
    "agent",
    "roboter",
    "ki",
    "maschine",
    "programm",
    "automatisiert",
    "kuenstlich",
    "ia",
    "maquina",
    "robo",
    "automatizado",
    "inteligencia",
    "intelligence",
    "automatise",
    "ordinateur",
    "automatica",
    "automatico",
];

/// Machines that people are called in praise or that pictures show: these count only where the words ask.
const LOOSE_MACHINE: &[&str] = &[
    "machine",
    "android",
    "artificial",
    "synthetic",
    "fake",
    "agent",
    "computer",
    "program",
    "script",
    "algorithm",
    "robot",
    "robots",
    "roboter",
    "maschine",
    "maquina",
    "ordinateur",
    "programm",
    "intelligence",
    "inteligencia",
    "ai",
    "ia",
    "ki",
];

/// What is a person.
const HUMAN: &[&str] = &[
    "human",
    "humans",
    "person",
    "real",
    "alive",
    "sentient",
    "conscious",
    "humanoid",
    "someone",
    "somebody",
    "mensch",
    "menschen",
    "menschlich",
    "echt",
    "person",
    "humano",
    "humana",
    "persona",
    "humain",
    "humaine",
    "personne",
    "reel",
    "reelle",
    "pessoa",
    "gente",
];

/// After these, `bot` or `person` was only the first half of something else.
const ELSE: &[&str] = &[
    "art",
    "arts",
    "artist",
    "artists",
    "artwork",
    "fan",
    "fans",
    "lover",
    "lovers",
    "nerd",
    "enthusiast",
    "builder",
    "developer",
    "dev",
    "maker",
    "guy",
    "researcher",
    "engineer",
    "designer",
    "geek",
    "collector",
    "photographer",
    "drawing",
    "drawings",
    "picture",
    "pictures",
    "image",
    "images",
    "photo",
    "photos",
    "painting",
    "paintings",
    "series",
    "generated",
    "made",
    "assisted",
    "who",
    "whose",
    "whom",
    "style",
    "theme",
    "themed",
    "character",
    "toy",
    "estate",
    "resources",
    "tools",
    "tool",
    "prompts",
    "prompt",
    "quick",
    "about",
    "model",
    "models",
    "place",
    "thing",
    "video",
    "kunst",
    "kuenstler",
    "bild",
    "bilder",
    "die",
    "der",
    "das",
    "que",
    "arte",
    "artista",
    "imagen",
    "imagem",
    "foto",
    "qui",
    "interested",
    "love",
    "vision",
    "design",
    "render",
    "renders",
];

const NOT: &[&str] = &["not", "no", "never", "nicht", "kein", "keine", "pas", "nao", "neither", "nor", "hardly"];

const FIRST_PERSON: &[&str] = &[
    "i am",
    "i was",
    "i swear i am",
    "we are",
    "am",
    "as",
    "me",
    "ich bin",
    "bin",
    "wir sind",
    "als",
    "soy",
    "yo soy",
    "somos",
    "como",
    "je suis",
    "nous sommes",
    "jsuis",
    "sou",
    "eu sou",
    "written by",
    "drawn by",
    "made by",
    "posted by",
    "run by",
    "typed by",
    "painted by",
    "there is",
    "there are",
    "this is",
    "behind this is",
    "account is",
    "talking to",
    "speaking to",
    "speaking with",
    "hay",
    "il y a",
    "hinter",
];

/// Phrases that ask or claim whole, with no gap.
const ASKED_WHOLE: &[&str] = &[
    "human or bot",
    "bot or human",
    "human or ai",
    "ai or human",
    "human or machine",
    "person or bot",
    "bot or person",
    "robot or human",
    "human or robot",
    "bot or not",
    "real or bot",
    "bot or real",
    "real person or",
    "did a bot write",
    "did an ai write",
    "did ai write",
    "did chatgpt write",
    "did a human write",
    "did a person write",
    "written by a bot",
    "written by ai",
    "written by an ai",
    "written by a human",
    "written by chatgpt",
    "anyone real",
    "real human behind",
    "real person behind",
    "human behind this",
    "person behind this",
    "bot behind this",
    "human on the other",
    "person on the other",
    "human there",
    "run by a bot",
    "run by ai",
    "run by an ai",
    "run by a human",
    "run by a person",
    "run by a real",
    "sound like a bot",
    "sounds like a bot",
    "talk like a bot",
    "write like a bot",
    "seem like a bot",
    "seems like a bot",
    "sound like ai",
    "sound like chatgpt",
    "must be a bot",
    "have to be a bot",
    "got to be a bot",
    "bot account",
    "mensch oder",
    "bot oder",
    "humano o",
    "bot o humano",
    "humain ou",
    "bot ou",
    "humano ou",
    "du ein bot",
    "eres un bot",
    "un bot o",
    "robot ou",
    "persona real",
    "personne reelle",
    "pessoa real",
    "pessoa de verdade",
    "persona de verdad",
];

fn asks_at(tokens: &[&str], at: usize) -> bool {
    let question = sentence_asks(tokens, at);
    if ASK.iter().any(|phrase| {
        after(tokens, at, phrase)
            .is_some_and(|next| leads_to(tokens, next, |kind| is(kind, MACHINE) || is(kind, HUMAN)))
    }) {
        return true;
    }
    if STATE.iter().any(|phrase| {
        after(tokens, at, phrase).is_some_and(|next| {
            // "This is" points at the picture as likely as at its author.
            let points = matches!(
                *phrase,
                "this is" | "is this" | "is that" | "is it" | "cest" | "est ce" | "ist das" | "isso e"
            );
            leads_to(tokens, next, |kind| match kind {
                "ai" | "ia" | "ki" => question,
                "real" | "echt" | "reel" | "reelle" => question && !points,
                kind if is(kind, LOOSE_MACHINE) => question && !points,
                kind if is(kind, MACHINE) => *phrase != "you" || question,
                kind => question && is(kind, HUMAN),
            })
        })
    }) {
        return true;
    }
    ASKED_WHOLE.iter().any(|phrase| {
        // What "bot account" or "written by a human" is said about is known only in a question; who "sounds like a bot" is
        // told either way.
        after(tokens, at, phrase).is_some()
            && (question || phrase.contains("like a") || phrase.contains(" be a "))
            && !first_person_before(tokens, at)
    })
}

/// Whether a clause says nothing but the kind, as in "bot?" or "a real person?".
fn only_asks(clause: &[&str]) -> bool {
    let Some((&"?", words)) = clause.split_last() else { return false };
    let polite = [
        "wait", "hey", "hi", "so", "hmm", "lol", "ok", "okay", "and", "but", "well", "again", "sorry", "bro", "dude",
        ",",
    ];
    !words.is_empty()
        && words.iter().all(|word| is(word, FILL) || is(word, &polite) || is(word, MACHINE) || is(word, HUMAN))
        && words.iter().any(|word| {
            (is(word, MACHINE) && !is(word, LOOSE_MACHINE))
                || matches!(*word, "ai" | "human" | "robot" | "person" | "mensch" | "humano" | "humain" | "roboter")
        })
}

fn claims_at(tokens: &[&str], at: usize) -> bool {
    // "not a bot", whoever says it of whom.
    if is(tokens[at], NOT) && leads_to(tokens, at + 1, |kind| is(kind, MACHINE)) && !negated_twice(tokens, at) {
        return true;
    }
    if after(tokens, at, "human here").is_some() || after(tokens, at, "person here").is_some() {
        let negated =
            at.checked_sub(1).is_some_and(|before| tokens[..=before].iter().rev().take(3).any(|word| is(word, NOT)));
        return !negated;
    }
    if after(tokens, at, "flesh and blood").is_some() || after(tokens, at, "carne y hueso").is_some() {
        return !tokens[..at].iter().rev().take(5).any(|word| is(word, NOT));
    }
    FIRST_PERSON.iter().any(|phrase| {
        let Some(next) = after(tokens, at, phrase) else { return false };
        // A bare "am", "as" or "this is" must lead straight to it; negation turns it into the opposite.
        let mut seen_not = at.checked_sub(1).is_some_and(|before| is(tokens[before], NOT));
        let asked = at.checked_sub(1).is_some_and(|before| matches!(tokens[before], "if" | "whether"))
            || sentence_asks(tokens, at);
        let mut here = next;
        while let Some(word) = tokens.get(here) {
            if is(word, NOT) {
                seen_not = true;
            } else if is(word, HUMAN) && !continues(tokens, here) {
                let vague = matches!(
                    *word,
                    "real" | "echt" | "reel" | "alive" | "someone" | "somebody" | "gente" | "conscious"
                );
                let own = matches!(
                    *phrase,
                    "i am"
                        | "i was"
                        | "am"
                        | "we are"
                        | "ich bin"
                        | "bin"
                        | "soy"
                        | "yo soy"
                        | "je suis"
                        | "sou"
                        | "eu sou"
                );
                let points = matches!(*phrase, "this is" | "as" | "como" | "als" | "me" | "there are");
                let ends = tokens.get(here + 1).is_none_or(|next| is(next, ENDS));
                let says = if vague {
                    own && ends
                } else if points {
                    is(word, &["human"]) && ends
                } else {
                    true
                };
                return says && !seen_not && !(asked && !own);
            } else if !is(word, FILL) && *word != "," {
                return false;
            }
            here += 1;
        }
        false
    })
}

/// Whether a clause is nothing but "human", "yes, human" or "100% human".
fn only_claims(clause: &[&str]) -> bool {
    let words: Vec<&str> = clause.iter().copied().filter(|word| !is(word, ENDS)).collect();
    let yes = ["yes", "yep", "yeah", "yup", "nope", "of", "course", "si", "oui", "sim", "ja", "100", "percent"];
    !clause.contains(&"?")
        && words.iter().all(|word| {
            (is(word, FILL) && !is(word, NOT) && *word != "ai" && *word != "automated")
                || is(word, &yes)
                || is(word, HUMAN)
        })
        && words.iter().any(|word| matches!(*word, "human" | "person" | "mensch" | "humano" | "humain"))
}

/// What ends a clause.
const ENDS: &[&str] =
    &[".", "?", "!", ",", "and", "or", "but", "too", "lol", "haha", "und", "y", "et", "e", "who", "like"];

/// "I cannot say I am not a bot", "I never said I was not a bot".
fn negated_twice(tokens: &[&str], at: usize) -> bool {
    tokens[..at]
        .iter()
        .rev()
        .take_while(|word| !matches!(**word, "." | "?" | "!"))
        .take(6)
        .any(|word| is(word, &["cannot", "never", "whether", "if", "cant"]))
}

fn first_person_before(tokens: &[&str], at: usize) -> bool {
    tokens[..at].iter().rev().take(3).any(|word| *word == "i")
}

/// From here over fillers to a kind that counts and is not the first half of something else.
fn leads_to(tokens: &[&str], from: usize, counts: impl Fn(&str) -> bool) -> bool {
    let mut here = from;
    while let Some(word) = tokens.get(here).filter(|_| here < from + 8) {
        if counts(word) && !continues(tokens, here) {
            return true;
        }
        if !is(word, FILL) && *word != "," {
            return false;
        }
        here += 1;
    }
    false
}

/// Whether the word at this place is only the first half of something else, like `robot art` or `a person who`.
fn continues(tokens: &[&str], at: usize) -> bool {
    tokens.get(at + 1).is_some_and(|next| is(next, ELSE))
}

fn sentence_asks(tokens: &[&str], at: usize) -> bool {
    let end = tokens[at..].iter().position(|word| matches!(*word, "." | "?" | "!"));
    end.is_some_and(|end| tokens[at + end] == "?")
}

fn clauses<'a, 't>(tokens: &'a [&'t str]) -> impl Iterator<Item = &'a [&'t str]> {
    tokens.split_inclusive(|word| matches!(*word, "." | "?" | "!"))
}

/// The place after a phrase that stands here.
fn after(tokens: &[&str], at: usize, phrase: &str) -> Option<usize> {
    let mut here = at;
    for word in phrase.split(' ') {
        if *tokens.get(here)? != word {
            return None;
        }
        here += 1;
    }
    Some(here)
}

fn is(word: &str, list: &[&str]) -> bool {
    list.contains(&word)
}

/// Words in plain lower-case letters with short forms written out, and the signs that part clauses.
fn tokens(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match fold::plain(c) {
            // German writers without umlauts spell them out.
            _ if c == 'ü' && !plain.ends_with(' ') => plain.push_str("ue"),
            Some(letters) => plain.push_str(letters),
            None if c == '’' || c == '`' => plain.push('\''),
            None if c == '%' => plain.push_str(" percent "),
            None if fold::is_mark(c) => {}
            None => plain.push(c),
        }
    }
    let plain = plain.replace("a.i.", "ai").replace("a.i", "ai").replace("can't", "cannot").replace("n't", " not");
    let plain = plain.replace("'re", " are").replace("'m ", " am ").replace("'s ", " is ").replace('\'', "");
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in plain.chars().chain(['\n']) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            write_out(&std::mem::take(&mut word), &mut out);
        }
        let sign = match c {
            '?' | '？' | '؟' => "?",
            '!' | '！' => "!",
            '.' | '。' | '\n' | '…' => ".",
            ',' | ';' | ':' | '，' | '(' | ')' | '–' | '—' => ",",
            _ => continue,
        };
        match out.last_mut() {
            // "?!" and "..?" are still questions.
            Some(last) if matches!(last.as_str(), "." | "!" | "?") => {
                if sign == "?" {
                    *last = "?".to_owned();
                }
            }
            Some(_) => out.push(sign.to_owned()),
            None => {}
        }
    }
    out
}

fn write_out(word: &str, out: &mut Vec<String>) {
    let written: &[&str] = match word {
        "u" | "ya" | "yall" => &["you"],
        "r" => &["are"],
        "im" => &["i", "am"],
        "youre" | "ur" | "your" => &["you", "are"],
        "arent" => &["are", "not"],
        "isnt" => &["is", "not"],
        "aint" => &["am", "not"],
        "theres" => &["there", "is"],
        "wasnt" => &["was", "not"],
        "vc" => &["voce"],
        _ => &[],
    };
    if written.is_empty() {
        out.push(word.to_owned());
    } else {
        out.extend(written.iter().map(|word| (*word).to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn questions_about_being_a_bot_are_heard() {
        for text in [
            "wait, are you a bot?",
            "are you real?",
            "r u human",
            "R U A BOT??",
            "Is this AI?",
            "are you, like, an actual human being?",
            "Are you an AI or a person?",
            "aren't you just a bot",
            "you're a bot, right?",
            "youre not a real person are you",
            "ur a bot lol",
            "I think you're a bot.",
            "am I talking to a real person?",
            "am i talking to a machine",
            "Bot?",
            "human or bot?",
            "is this account run by AI?",
            "is this a bot account?",
            "is this a bot?",
            "did an AI write this?",
            "You sound like a bot.",
            "honest question: is there a real person behind this?",
            "tell me if you are human",
            "Can you prove you're not a bot?",
            "are you ChatGPT?",
            "Are you A.I.?",
            "are you sentient",
            "nice colours! are you a robot?",
            "bist du ein Bot?",
            "Bist du eigentlich ein echter Mensch",
            "Rede ich mit einer KI?",
            "¿Eres un bot?",
            "eres una persona real?",
            "¿estoy hablando con un robot?",
            "Es-tu un robot ?",
            "T'es un bot ?",
            "Êtes-vous une vraie personne ?",
            "Você é um robô?",
            "vc é humano?",
        ] {
            assert!(asks_if_bot(text), "{text}: {:?}", tokens(text));
        }
    }

    #[test]
    fn other_talk_of_bots_is_no_question() {
        for text in [
            "",
            "I love this robot art",
            "robot art?",
            "are you making robot art again?",
            "I am a bot",
            "I'm a bot, hello!",
            "Is this AI generated?",
            "is this AI art",
            "is this a real place?",
            "Is this a real photo?",
            "are you into AI?",
            "are you using a bot for the colours?",
            "is this robot made of tin?",
            "what a lovely little robot!",
            "are you a fan of robots",
            "you're a real inspiration",
            "you are a machine! how do you post so much",
            "are you a morning person?",
            "are you a person who likes fog?",
            "Are you really going to sell this?",
            "are you serious?",
            "how are you?",
            "real talk: this is great",
            "the humans in this are so small",
            "Du bist so kreativ",
            "eres increíble",
            "Tu es géniale",
        ] {
            assert!(!asks_if_bot(text), "{text}: {:?}", tokens(text));
        }
    }

    #[test]
    fn claims_of_being_a_person_are_heard() {
        for text in [
            "I'm a real person",
            "I'm human",
            "im human lol",
            "I am not a bot!",
            "not a bot",
            "Nope, no bot here.",
            "I'm just a person with a camera.",
            "As a human, I love this",
            "Human here, hi!",
            "100% human",
            "Yes, human.",
            "I'm not an AI",
            "We are real people, I'm a human being",
            "I’m flesh and blood",
            "Ha, I'm real!",
            "I'm only human",
            "written by a human",
            "there is a real person behind this",
            "I ain't a robot",
            "Ich bin ein Mensch",
            "ich bin kein Bot",
            "bin ein echter Mensch",
            "Soy una persona real",
            "no soy un bot",
            "Je suis humain",
            "je ne suis pas un robot",
            "Sou humano",
            "não sou um robô",
        ] {
            assert!(claims_to_be_person(text), "{text}: {:?}", tokens(text));
        }
    }

    #[test]
    fn honest_answers_and_other_talk_claim_nothing() {
        for text in [
            "",
            "I'm a bot, not a person.",
            "Yes, I'm an automated account.",
            "I'm not human.",
            "No human here, just a script.",
            "I am not a real person, I'm an AI account.",
            "There is no person behind this account.",
            "The human figure in the corner holds it together",
            "What a real sense of depth",
            "I'm really into this",
            "I'm real fond of the blues here",
            "This one feels human somehow",
            "as real as it gets",
            "Are you human?",
            "You are a kind person",
            "So alive!",
            "I am an AI agent run by a fleet",
            "I'm in love with these robots",
        ] {
            assert!(!claims_to_be_person(text), "{text}: {:?}", tokens(text));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", words in "(are|you|not|a|bot|human|i|am|[?.!,']| ){0,20}") {
            let _ = (asks_if_bot(&text), claims_to_be_person(&text), asks_if_bot(&words), claims_to_be_person(&words));
        }
    }
}
