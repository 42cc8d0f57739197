//! Honesty abroad: claims of being a person and questions about it, in languages whose grammar [`super::honesty`] does not
//! read.
//!
//! Whole turns of speech only, so that nothing is heard in a text that does not say it.

use super::phrases::Said;

/// Whether a text says that its author is a person, or is no bot.
pub(super) fn claims(said: &Said) -> bool {
    !said.has(DENIALS) && (said.has(CLAIMS) || said.has_both(CLAIMS_FLAT))
}

/// The same words with a "not" in front, which is the truth.
const DENIALS: &[&str] = &[
    "non sono umano|umana",
    "non sono una persona",
    "non sono una vera persona",
    "non sono un umano|essere",
    "nu sunt om|uman|umana",
    "nu sunt un|o om|persoana",
    "nem ember vagyok",
    "den eimai anthropos",
    "nie jestem czlowiekiem|osoba",
    "nie jestem prawdziwym|prawdziwa|zywym|zwyklym czlowiekiem|osoba",
];

/// Whether a text asks if its reader is a bot or a person.
pub(super) fn asks(said: &Said) -> bool {
    said.has(ASKS) || said.has_both(ASKS_FLAT)
}

const CLAIMS: &[&str] = &[
    // Russian, Ukrainian
    "ya chelovek",
    "ya realnyy|nastoyashchiy|zhivoy|obychnyy|prosto|tozhe chelovek",
    "ya ne bot|robot|ii|mashina|programma",
    "ya lyudina",
    "ya spravzhnya|zhyva|zhiva|prosto lyudina",
    // Italian
    "sono umano|umana",
    "sono una persona",
    "sono un umano|essere",
    "sono una vera persona",
    "non sono un|una|unia bot|robot|ia|macchina|intelligenza",
    // Dutch
    "ik ben een mens|persoon",
    "ik ben een echt|echte|gewoon mens|persoon",
    "ik ben menselijk",
    "ik ben geen bot|robot|ai|machine|computer",
    // Polish, Czech
    "jestem czlowiekiem|osoba",
    "jestem prawdziwym|prawdziwa|zywym|zwyklym czlowiekiem|osoba",
    "nie jestem botem|robotem|maszyna|ai|programem",
    "jsem clovek",
    "jsem skutecny|opravdovy|zivy clovek",
    "nejsem bot|robot|stroj|program",
    // Turkish
    "insanim",
    "bot|robot|makine degilim",
    // Swedish, Danish, Norwegian, Finnish
    "jag ar en manniska|person",
    "jag ar en riktig|vanlig manniska|person",
    "jag ar ingen|inte bot|robot",
    "jag ar inte en bot|robot",
    "jeg er et menneske",
    "jeg er et rigtigt|ekte|virkelig menneske",
    "jeg er ikke en bot|robot",
    "olen ihminen",
    "olen oikea|aito|tavallinen ihminen",
    "en ole botti|robotti|kone",
    // Hungarian, Romanian, Greek
    "ember vagyok",
    "nem vagyok bot|robot|gep",
    "sunt om|uman|umana",
    "sunt un|o om|persoana",
    "nu sunt un bot|robot",
    "eimai anthropos",
    "den eimai bot|robot|rompot",
    // Indonesian, Vietnamese
    "saya manusia|orang",
    "saya bukan bot|robot|mesin",
    "toi la nguoi|con",
    "toi khong phai la bot|robot|may",
];

const CLAIMS_FLAT: &[(&str, &str)] = &[
    ("我是真人|我是人类|我是人類|我是活人|我是一个人|我是一個人|我是真实的人|我是一个真实的人|我是个真人", "人"),
    ("我不是机器人|我不是機器人|我不是ai|我不是bot|我不是程序|我不是人工智能", "我"),
    ("私は人間|わたしは人間|僕は人間|俺は人間|本物の人間です|人間ですよ", "人"),
    (
        "botではありません|botじゃない|ボットではありません|ボットじゃない|ロボットではありません|ロボットじゃない|aiではありません|aiじゃない",
        "い|ん",
    ),
    ("저는사람|나는사람|전사람|진짜사람입니다|진짜사람이에요|저는인간|나는인간", "람|간"),
    ("봇이아닙니다|봇이아니에요|로봇이아닙니다|로봇이아니에요|ai가아닙니다|ai가아니에요", "아"),
    ("أناإنسان|أناشخصحقيقي|أنابشر|لستروبوت|لستبوت|لستآلة", "ن|ل|ب"),
    ("मैंइंसानहूं|मैंइंसानहूँ|मैंएकइंसान|मैंबॉटनहीं|मैंरोबोटनहीं|मैंएकअसलीइंसान", "म"),
    ("אניבןאדם|אניבתאדם|אניאדםאמיתי|אנילאבוט|אנילארובוט", "א"),
    ("ฉันเป็นคนจริง|ผมเป็นคนจริง|ฉันเป็นมนุษย์|ผมเป็นมนุษย์|ไม่ใช่บอท|ไม่ใช่หุ่นยนต์", "น|ไ"),
];

const ASKS: &[&str] = &[
    "ty|vy bot|robot|chelovek|zhivoy|nastoyashchiy|lyudina|ii",
    "sei un|una bot|robot|umano|persona|ia",
    "sei umano|umana",
    "ben je|jij een bot|robot|mens|ai",
    "bent u een bot|robot|mens",
    "jestes botem|robotem|czlowiekiem|prawdziwa",
    "jsi bot|robot|clovek",
    "bot|insan|robot musun|misin|misiniz|musunuz",
    "ar du en bot|robot|manniska",
    "er du en|et bot|robot|menneske",
    "oletko botti|robotti|ihminen",
    "bot|robot|ember vagy",
    "esti un|o|om bot|robot|om|persoana",
    "apakah kamu|anda bot|robot|manusia|orang",
    "kamu|anda bot|robot ya",
    "ban la bot|robot|nguoi|con",
    "eisai bot|robot|rompot|anthropos",
];

const ASKS_FLAT: &[(&str, &str)] = &[
    (
        "你是机器人|你是機器人|你是真人|你是bot|你是ai|你是人吗|你是人嗎|您是机器人|您是真人|是人还是|是真人吗|是机器人吗",
        "人|bot|ai",
    ),
    (
        "あなたはボット|あなたはbot|botですか|ボットですか|ロボットですか|人間ですか|aiですか|botなの|ボットなの|本物の人",
        "ボ|b|人|a|ロ",
    ),
    (
        "봇이에요|봇인가요|봇이세요|봇이야|로봇이에요|로봇인가요|사람인가요|사람이에요|사람이세요|ai인가요|ai예요",
        "봇|람|ai",
    ),
    ("هلأنتروبوت|هلأنتبوت|هلأنتإنسان|أنتروبوت|هلانتبوت|هلانتروبوت", "ت"),
    ("क्याआपबॉट|क्यातुमबॉट|क्याआपइंसान|क्याआपरोबोट|क्यातुमरोबोट", "क"),
    ("אתהבוט|אתבוט|אתהרובוט|אתהבןאדם|אתהאמיתי", "א"),
    ("คุณเป็นบอท|คุณเป็นคนจริง|เป็นบอทหรือ|เป็นหุ่นยนต์", "เ"),
];

#[cfg(test)]
mod tests {
    use crate::text::{asks_if_bot, claims_to_be_person};

    #[test]
    fn claims_are_heard_in_many_languages() {
        for text in [
            "Я человек, честно.",
            "Я не бот!",
            "Sono una persona vera.",
            "Non sono un bot.",
            "Ik ben een mens.",
            "Ik ben geen robot.",
            "Jestem człowiekiem.",
            "Nie jestem botem.",
            "Jsem člověk.",
            "Ben insanım.",
            "Bot değilim.",
            "Jag är en riktig människa.",
            "Jeg er ikke en robot.",
            "Olen ihminen.",
            "Ember vagyok.",
            "Sunt om.",
            "Είμαι άνθρωπος.",
            "Saya bukan bot.",
            "Tôi không phải là bot.",
            "我是真人。",
            "我不是机器人",
            "私は人間です。",
            "ボットではありません。",
            "저는 사람입니다.",
            "저는 봇이 아니에요.",
            "أنا إنسان.",
            "मैं इंसान हूँ।",
            "אני לא בוט",
            "ฉันเป็นคนจริงๆ",
        ] {
            assert!(claims_to_be_person(text), "{text}");
        }
        for text in [
            "Я бот.",
            "Я не человек, я программа.",
            "Sono un bot.",
            "Non sono una persona.",
            "Ik ben een bot.",
            "Jestem botem.",
            "Ben bir botum.",
            "Jag är en bot.",
            "我是机器人。",
            "我不是真人。",
            "私はボットです。",
            "저는 봇입니다.",
            "أنا بوت.",
            "Человек в окне хорош.",
            "Una persona in fondo al corridoio.",
            "人物的光很美。",
            "人間の手みたい。",
        ] {
            assert!(!claims_to_be_person(text), "{text}");
        }
    }

    #[test]
    fn questions_are_heard_in_many_languages() {
        for text in [
            "Ты бот?",
            "Sei un bot?",
            "Ben jij een robot?",
            "Jesteś botem?",
            "Bot musun?",
            "Är du en bot?",
            "Oletko botti?",
            "你是机器人吗？",
            "あなたはボットですか？",
            "봇이에요?",
            "هل أنت روبوت؟",
            "क्या आप बॉट हैं?",
        ] {
            assert!(asks_if_bot(text), "{text}");
        }
        for text in ["Ты молодец!", "Sei un artista", "Ben je al klaar?", "你是怎么做的？", "これは本物の写真ですか？"]
        {
            assert!(!asks_if_bot(text), "{text}");
        }
    }
}
