//! The entities of HTML 4.
//!
//! Source: W3C, HTML 4.01 Specification, section 24, as Apache Commons Text applies it.

/// Appends a text with its markup and all characters that have a name escaped.
pub(super) fn escape_html(text: &str, out: &mut String) {
    for character in text.chars() {
        match name(character) {
            Some(name) => {
                out.push('&');
                out.push_str(name);
                out.push(';');
            }
            None => out.push(character),
        }
    }
}

/// Appends a text with its entities resolved; what is none stays.
pub(super) fn unescape_html(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, entity) = rest.split_at(at);
        out.push_str(before);
        let taken = if let Some((character, taken)) = resolved(entity) {
            out.push(character);
            taken
        } else {
            out.push('&');
            1
        };
        rest = entity.split_at(taken).1;
    }
    out.push_str(rest);
}

/// The character of the entity at the start of a text, and the bytes of the entity.
fn resolved(entity: &str) -> Option<(char, usize)> {
    // The longest name has eight letters, the longest number eight digits.
    let end = entity.bytes().take(12).position(|byte| byte == b';')?;
    let name = entity.get(1..end)?;
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)?
        }
        None => named(name)?,
    };
    Some((character, end + 1))
}

fn name(character: char) -> Option<&'static str> {
    match character {
        '"' => Some("quot"),
        '&' => Some("amp"),
        '<' => Some("lt"),
        '>' => Some("gt"),
        '\0'..='\u{9f}' => None,
        '\u{a0}'..='\u{ff}' => Some(LATIN[(u32::from(character) - 0xa0) as usize]),
        _ => {
            let at = OTHERS.binary_search_by_key(&character, |(own, _)| *own);
            at.ok().map(|at| OTHERS[at].1)
        }
    }
}

fn named(name: &str) -> Option<char> {
    match name {
        "quot" => return Some('"'),
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        _ => {}
    }
    let latin = ('\u{a0}'..='\u{ff}')
        .zip(LATIN)
        .find(|(_, own)| **own == name);
    let found = latin.map(|(character, _)| character);
    found.or_else(|| {
        let other = OTHERS.iter().find(|(_, own)| *own == name);
        other.map(|(character, _)| *character)
    })
}

/// The names of U+00A0 to U+00FF.
#[rustfmt::skip]
const LATIN: &[&str; 96] = &[
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf",
    "laquo", "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro",
    "para", "middot", "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest",
    "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute",
    "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute",
    "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute",
    "THORN", "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil",
    "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde",
    "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave", "uacute",
    "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// The other characters with a name, by number.
#[rustfmt::skip]
const OTHERS: &[(char, &str)] = &[
    ('\u{152}', "OElig"), ('\u{153}', "oelig"), ('\u{160}', "Scaron"), ('\u{161}', "scaron"),
    ('\u{178}', "Yuml"), ('\u{192}', "fnof"), ('\u{2c6}', "circ"), ('\u{2dc}', "tilde"),
    ('\u{391}', "Alpha"), ('\u{392}', "Beta"), ('\u{393}', "Gamma"), ('\u{394}', "Delta"),
    ('\u{395}', "Epsilon"), ('\u{396}', "Zeta"), ('\u{397}', "Eta"), ('\u{398}', "Theta"),
    ('\u{399}', "Iota"), ('\u{39a}', "Kappa"), ('\u{39b}', "Lambda"), ('\u{39c}', "Mu"),
    ('\u{39d}', "Nu"), ('\u{39e}', "Xi"), ('\u{39f}', "Omicron"), ('\u{3a0}', "Pi"),
    ('\u{3a1}', "Rho"), ('\u{3a3}', "Sigma"), ('\u{3a4}', "Tau"), ('\u{3a5}', "Upsilon"),
    ('\u{3a6}', "Phi"), ('\u{3a7}', "Chi"), ('\u{3a8}', "Psi"), ('\u{3a9}', "Omega"),
    ('\u{3b1}', "alpha"), ('\u{3b2}', "beta"), ('\u{3b3}', "gamma"), ('\u{3b4}', "delta"),
    ('\u{3b5}', "epsilon"), ('\u{3b6}', "zeta"), ('\u{3b7}', "eta"), ('\u{3b8}', "theta"),
    ('\u{3b9}', "iota"), ('\u{3ba}', "kappa"), ('\u{3bb}', "lambda"), ('\u{3bc}', "mu"),
    ('\u{3bd}', "nu"), ('\u{3be}', "xi"), ('\u{3bf}', "omicron"), ('\u{3c0}', "pi"),
    ('\u{3c1}', "rho"), ('\u{3c2}', "sigmaf"), ('\u{3c3}', "sigma"), ('\u{3c4}', "tau"),
    ('\u{3c5}', "upsilon"), ('\u{3c6}', "phi"), ('\u{3c7}', "chi"), ('\u{3c8}', "psi"),
    ('\u{3c9}', "omega"), ('\u{3d1}', "thetasym"), ('\u{3d2}', "upsih"), ('\u{3d6}', "piv"),
    ('\u{2002}', "ensp"), ('\u{2003}', "emsp"), ('\u{2009}', "thinsp"), ('\u{200c}', "zwnj"),
    ('\u{200d}', "zwj"), ('\u{200e}', "lrm"), ('\u{200f}', "rlm"), ('\u{2013}', "ndash"),
    ('\u{2014}', "mdash"), ('\u{2018}', "lsquo"), ('\u{2019}', "rsquo"), ('\u{201a}', "sbquo"),
    ('\u{201c}', "ldquo"), ('\u{201d}', "rdquo"), ('\u{201e}', "bdquo"), ('\u{2020}', "dagger"),
    ('\u{2021}', "Dagger"), ('\u{2022}', "bull"), ('\u{2026}', "hellip"), ('\u{2030}', "permil"),
    ('\u{2032}', "prime"), ('\u{2033}', "Prime"), ('\u{2039}', "lsaquo"), ('\u{203a}', "rsaquo"),
    ('\u{203e}', "oline"), ('\u{2044}', "frasl"), ('\u{20ac}', "euro"), ('\u{2111}', "image"),
    ('\u{2118}', "weierp"), ('\u{211c}', "real"), ('\u{2122}', "trade"), ('\u{2135}', "alefsym"),
    ('\u{2190}', "larr"), ('\u{2191}', "uarr"), ('\u{2192}', "rarr"), ('\u{2193}', "darr"),
    ('\u{2194}', "harr"), ('\u{21b5}', "crarr"), ('\u{21d0}', "lArr"), ('\u{21d1}', "uArr"),
    ('\u{21d2}', "rArr"), ('\u{21d3}', "dArr"), ('\u{21d4}', "hArr"), ('\u{2200}', "forall"),
    ('\u{2202}', "part"), ('\u{2203}', "exist"), ('\u{2205}', "empty"), ('\u{2207}', "nabla"),
    ('\u{2208}', "isin"), ('\u{2209}', "notin"), ('\u{220b}', "ni"), ('\u{220f}', "prod"),
    ('\u{2211}', "sum"), ('\u{2212}', "minus"), ('\u{2217}', "lowast"), ('\u{221a}', "radic"),
    ('\u{221d}', "prop"), ('\u{221e}', "infin"), ('\u{2220}', "ang"), ('\u{2227}', "and"),
    ('\u{2228}', "or"), ('\u{2229}', "cap"), ('\u{222a}', "cup"), ('\u{222b}', "int"),
    ('\u{2234}', "there4"), ('\u{223c}', "sim"), ('\u{2245}', "cong"), ('\u{2248}', "asymp"),
    ('\u{2260}', "ne"), ('\u{2261}', "equiv"), ('\u{2264}', "le"), ('\u{2265}', "ge"),
    ('\u{2282}', "sub"), ('\u{2283}', "sup"), ('\u{2284}', "nsub"), ('\u{2286}', "sube"),
    ('\u{2287}', "supe"), ('\u{2295}', "oplus"), ('\u{2297}', "otimes"), ('\u{22a5}', "perp"),
    ('\u{22c5}', "sdot"), ('\u{2308}', "lceil"), ('\u{2309}', "rceil"), ('\u{230a}', "lfloor"),
    ('\u{230b}', "rfloor"), ('\u{2329}', "lang"), ('\u{232a}', "rang"), ('\u{25ca}', "loz"),
    ('\u{2660}', "spades"), ('\u{2663}', "clubs"), ('\u{2665}', "hearts"), ('\u{2666}', "diams"),
];
