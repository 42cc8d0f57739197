//! Folding: letters with marks, and letters of other alphabets, as plain ASCII ones.
//!
//! What has no plain form is left out of [`ascii`] and left alone by [`plain`].

/// The text in lower-case ASCII letters and digits where it has such a form; everything else becomes one `_`, and none
/// stands at either end.
///
/// ```
/// assert_eq!(floimg_fleet::text::ascii("Ça va, Łódź?"), "ca_va_lodz");
/// ```
pub fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match plain(c) {
            Some(letters) => out.push_str(letters),
            None if c.is_ascii_alphanumeric() => out.push(c),
            None if is_mark(c) => {}
            None if !out.is_empty() && !out.ends_with('_') => out.push('_'),
            None => {}
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

/// Combining marks and characters that take no room.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{fe00}'..='\u{fe0f}')
}

/// A lower-case letter's plain form, when it has one and is not plain already.
pub(super) fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ' | 'ả' | 'ấ' | 'ầ' | 'ẩ' | 'ẫ' | 'ậ' | 'ắ'
        | 'ằ' | 'ẳ' | 'ẵ' | 'ặ' | 'α' | 'ά' | 'а' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' | 'δ' | 'д' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ' | 'ẻ' | 'ẽ' | 'ế' | 'ề' | 'ể' | 'ễ' | 'ệ' | 'ε'
        | 'έ' | 'е' | 'ё' | 'э' | 'є' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' | 'γ' | 'г' | 'ґ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' | 'ỉ' | 'ị' | 'ι' | 'ί' | 'ϊ' | 'η' | 'ή' | 'и'
        | 'і' => "i",
        'ĵ' => "j",
        'ķ' | 'κ' | 'к' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' | 'λ' | 'л' => "l",
        'μ' | 'м' => "m",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŋ' | 'ν' | 'н' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'ơ' | 'ǒ' | 'ọ' | 'ỏ' | 'ố' | 'ồ' | 'ổ' | 'ỗ' | 'ộ'
        | 'ớ' | 'ờ' | 'ở' | 'ỡ' | 'ợ' | 'ο' | 'ό' | 'ω' | 'ώ' | 'о' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' | 'ρ' | 'р' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' | 'σ' | 'ς' | 'с' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' | 'τ' | 'т' => "t",
        'þ' | 'θ' => "th",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ư' | 'ǔ' | 'ụ' | 'ủ' | 'ứ' | 'ừ' | 'ử' | 'ữ'
        | 'ự' | 'у' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' | 'ỳ' | 'ỵ' | 'ỷ' | 'ỹ' | 'υ' | 'ύ' | 'й' | 'ы' => "y",
        'ź' | 'ż' | 'ž' | 'ζ' | 'з' => "z",
        'β' | 'в' => "v",
        'б' => "b",
        'π' | 'п' => "p",
        'φ' | 'ф' => "f",
        'ξ' => "x",
        'χ' | 'х' => "kh",
        'ψ' => "ps",
        'ж' => "zh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ю' => "yu",
        'я' => "ya",
        'ї' => "yi",
        'ь' | 'ъ' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_alphabets_become_plain_letters() {
        for (text, want) in [
            ("Zoë Brontë", "zoe_bronte"),
            ("e\u{301}te\u{301}", "ete"),
            ("Straße", "strasse"),
            ("Nguyễn Thị", "nguyen_thi"),
            ("Жанна", "zhanna"),
            ("  -a--b-  ", "a_b"),
            ("静か", ""),
            ("İstanbul", "istanbul"),
        ] {
            assert_eq!(ascii(text), want, "{text}");
        }
    }
}
