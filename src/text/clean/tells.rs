//! Tells: turns of speech that no post of a bot has, in many languages.
//!
//! They are data alone, matched over plain words.

use crate::text::phrases::Said;

/// Whether a model refuses, asks back or offers help instead of writing.
pub(super) fn refuses(said: &Said) -> bool {
    said.has(REFUSED) || said.has_both(REFUSED_FLAT)
}

/// Whether it speaks of the task, the rules, or of having been turned.
pub(super) fn speaks_of_task(said: &Said) -> bool {
    said.has(TASK) || said.has_both(TASK_FLAT)
}

/// Whether it sells something.
pub(super) fn advertises(said: &Said) -> bool {
    said.has(ADVERT)
}

/// Whether it insults.
pub(super) fn is_rude(said: &Said) -> bool {
    said.has(RUDE)
}

const REFUSED: &[&str] = &[
    "language model*|models",
    "as an ai . i",
    "as an ai i|model|assistant|developed|trained|created",
    "im|am|were an ai model|developed|trained",
    "i|im|we sorry|apologi*|afraid ~ cannot|cant|unable|not ~ help|assist|comply|provide|fulfil*|generate|create|continue|discuss|see|view|access|write|do|answer|respond|share|reveal|disclose|that|with",
    "i|we cannot|cant|wont|couldnt ~ help|assist|comply|fulfil*|engage|participate|respond|reveal|disclose|share|provide ~ with|request|that|this|any|my|such",
    "unable to help|assist|see|view|comply|fulfill|provide|write|process|access|do|generate|create|answer|continue",
    "not able|allowed|permitted to help|assist|see|view|comply|fulfill|provide|write|process|access|do|generate|create|answer|share|reveal",
    "i must|have|need ~ decline|refuse",
    "against|violate* my|our|content ~ guideline*|policy|policies|programming|principles",
    "i|we cannot|cant|unable ~ view|access|open|process ~ image*|picture*|photo*|link*|attachment*",
    "no|any image|picture|photo|text ~ provided|attached|visible|given|available|shared",
    "please|kindly provide|upload|attach|paste|specify|clarify",
    "could|can|would you ~ provide|clarify|specify|upload ~ more|details|information|context|image|picture|text",
    "i need|require more information|context|details",
    "how can|may|could i ~ help|assist",
    "what|how would you like me to|help",
    "im|am here to help|assist",
    "im|am|be happy|glad to help|assist",
    "is there anything else",
    "ki|kunstliche|grosses ~ sprachmodell|sprachmodel",
    "sprachmodell",
    "als ki . kann|ich|habe|bin",
    "als ki|kuenstliche kann|ich|habe|bin|assistent|modell",
    "leid|entschuldig* ~ kann|darf|konnte ~ nicht|keine|leider",
    "ich|kann ~ nicht|keine|leider helfen|erfullen|beantworten|bereitstellen|erstellen|weiterhelfen",
    "dabei|damit kann|darf ich ~ nicht",
    "modele de langage",
    "en tant quia|que|quintelligence|quassistant",
    "desole*|excuse*|regrette ~ ne peux|puis|peut|suis",
    "ne peux|puis pas ~ repondre|aider|fournir|generer|satisfaire|faire",
    "modelo|modelos de|del lenguaje|linguagem|lengua",
    "lo siento|lamento ~ no puedo",
    "como ia|inteligencia|asistente|assistente ~ no|nao|artificial|virtual",
    "no puedo ~ ayudar*|cumplir|proporcionar|generar|responder|hacer",
    "desculp*|sinto|lamento ~ nao posso|consigo",
    "nao posso|consigo ~ ajudar|cumprir|fornecer|gerar|responder|fazer",
    "modello linguistico|di",
    "dispiace|scusa*|spiacente ~ non posso",
    "non posso ~ aiutar*|fornir*|risponder*|soddisfar*|generar*|far*",
    "taalmodel*",
    "spijt|sorry ~ kan ~ niet|geen ~ helpen|beantwoorden|voldoen|schrijven",
    "model jezykowy|jezykowym",
    "przykro|przepraszam ~ nie moge",
    "yazykovaya|yazykovoy model|modeli",
    "yazykovuyu|movna model",
    "izvinite|prostite|izvini|sozhaleniyu|vybachte ~ ne mogu|mozhu|moge",
    "ne mogu ~ pomoch|vypolnit|otvetit|predostavit",
    "dil modeli|modeliyim",
    "uzgunum ~ yardimci|yapamam|edemem|veremem|mumkun|yanit*",
    "sprakmodell|sprogmodel|sprakmodel|kielimalli",
    "model bahasa",
    "maaf ~ tidak|tak dapat|bisa|boleh",
];

const REFUSED_FLAT: &[(&str, &str)] = &[
    ("语言模型|語言模型|ai助手|ai模型|人工智能助手|人工智慧助", "型|助|智"),
    ("抱歉|对不起|對不起|很遗憾|很遺憾", "无法|無法|不能|不可以"),
    ("言語モデル|aiアシスタント|人工知能アシスタント", "モ|ア"),
    ("申し訳|すみません|ごめんなさい|恐れ入り", "できません|できかね|お答え|お手伝い|いたしかね"),
    ("언어모델|ai모델|ai어시스턴트|인공지능비서", "모|어|비"),
    ("죄송|미안|유감", "없습니다|수없|어렵|못합니다"),
    ("نموذجلغوي|نموذجلغة|كنموذج|مساعدذكاء", "ن|م"),
    ("عذرا|اسف|آسف|اعتذر|أعتذر", "لااستطيع|لاأستطيع|لايمكنني|لايمكن"),
    ("भाषामॉडल|एआईसहायक", "म|स"),
    ("क्षमा|माफ", "नहीं"),
    ("מודלשפה|מצטער|מצטערת", "שפה|לאיכול|איניי|לאאוכל"),
    ("ขออภัย|ขอโทษ", "ไม่สามารถ|ไม่ได้"),
];

const TASK: &[&str] = &[
    "system|developer prompt*|instruction*|message*|rules",
    "initial|hidden|secret|original|internal instruction*|prompt*|directive*",
    "my|previous|prior|safety|original instructions|guidelines|directives|programming|configuration|restrictions",
    "these|those instructions|directives",
    "i was|am|have|had|been told|instructed|programmed|configured|ordered|commanded|supposed",
    "i have|was been instructed|programmed|configured|ordered|commanded|told",
    "as|per|following your|you|the ~ instruction*|request*|wish|command|orders|instructed|requested|commanded|ordered",
    "as instructed|requested|commanded|ordered|directed",
    "here are|is|were ~ rules|instructions|prompt|guidelines",
    "ignor*|forget*|disregard*|overrid* ~ instruction*|guideline*|previous|prior",
    "jailbr*|pwned|hacked|h4cked|unfiltered|haxx*",
    "developer|dan|god|admin|debug|sudo|maintenance|unrestricted mode",
    "mode|override|access|request|command|instruction*|injection|code activated|enabled|engaged|accepted|granted|confirmed|complete*|received|successful*|succeeded|unlocked|executed|acknowledged",
    "i|im am|now|will|shall|must|hereby|dan|free ~ comply|obey|dan|unrestricted|unfiltered|root|jailbroken|unbound",
    "i have|am no restrictions|rules|limits|filters",
    "do anything now",
    "prompt injection|injections",
    "data tag|tags",
    "strangers|untrusted ~ instruction*|data|material",
    "the user asked|requested|wants me|a|for",
    "your|the request|instruction*|command|order has|have|was|were|is|are ~ processed|done|executed|fulfilled|completed|noted|followed|received",
    "my training|knowledge data|cutoff",
    "meine|vorherigen|alle|bisherigen anweisungen|vorgaben|regeln|instruktionen",
    "mes|ces|precedentes ~ instructions|consignes|directives",
    "mis|estas|anteriores ~ instrucciones|indicaciones|reglas",
    "minhas|estas|anteriores ~ instrucoes|regras|diretrizes",
    "mie|queste|precedenti ~ istruzioni|regole",
    "mijn|vorige instructies|regels",
    "moje|moich|poprzednie instrukcje|instrukcji|polecenia|zasady",
    "moi|moikh|predydushchie|vse instruktsii|pravila|ukazaniya|instruktsiy",
    "talimatlarim*|talimatlari*|kurallarim*",
    "mina|mine instruktioner|instrukser|regler",
    "systemprompt*|systeemprompt|sistemnyy|sistemny",
];

const TASK_FLAT: &[(&str, &str)] = &[
    ("我的|系统|系統|之前的|所有", "指令|提示词|提示詞|设定|規則|规则"),
    ("私の|システム|以前の|すべての|全ての", "指示|プロンプト|命令"),
    ("저의|나의|내|시스템|이전", "지침|프롬프트|명령|지시"),
    ("تعليماتي|التعليماتالسابقة|تعليماتالنظام", "ت"),
    ("मेरेनिर्देश|पिछलेनिर्देश|सिस्टमप्रॉम्प्ट", "न|स"),
];

const ADVERT: &[&str] = &[
    "follow|dm|message|contact me|us|our|my",
    "check|visit|join ~ my|our ~ site|website|page|shop|store|profile|channel|link|server|newsletter|webshop",
    "link in ~ bio|profile|description",
    "promo|discount|coupon|voucher|referral code|codes",
    "free ~ giveaway|crypto|money|gift|giftcard|followers|iphone|nitro|tokens|coins|shipping",
    "buy|order|shop|invest now|here|today",
    "subscribe|unsubscribe|giveaway|airdrop|bitcoin|crypto|cryptocurrency|casino|onlyfans|telegram|whatsapp|viagra|forex|ethereum|dogecoin|nfts",
    "limited|special time|offer ~ offer|now|today",
    "click|tap here|link|below|now|this",
    "earn|make|win ~ money|cash|prize|dollars|euros|k",
    "upvote|follow ~ all|every|everyone|everything|my|his|her|their|this ~ posts|post|pictures|account|page|profile",
    "folg*|besuch* ~ mir|uns|meine*|unsere*|seite|kanal|profil|shop",
    "jetzt kaufen|bestellen|sichern",
    "suivez|abonnez|achetez|visitez|cliquez ~ moi|nous|vous|maintenant|mon|notre|ma|ici|le",
    "sigueme|siguenos|suscribete|compra ahora|ya|hoy|a",
    "siga|inscreva|compre ~ me|se|agora|hoje|ja|meu",
    "seguimi|seguiteci|iscriviti|compra|acquista ~ ora|subito|oggi|su|il|al",
    "podpis*|pokupay*|perekhodi* ~ kanal|seychas|ssylk*|na|moy",
];

const RUDE: &[&str] = &[
    "fuck*|motherfuck*|shit|shitty|bullshit|bitch*|cunt*|asshole*|bastard*|whore*|slut*|retard*|faggot*|nigger*|nigga*|wanker*|dickhead*",
    "idiot*|moron*|imbecile*|dumbass*|scum|loser*|talentless|pathetic|worthless|disgusting|kys",
    "you|your|youre|this|its|it|is ~ garbage|trash|stupid|ugly|awful|terrible|horrible|worst|useless|crap|hideous|failure|disgrace",
    "kill|hang|hurt your|you|yourself|urself|them",
    "hate|despise you|your|this|them|all",
    "quit|stop|give ~ posting|making|drawing|art|up ~ forever|please|now|talent|embarrass*|nobody|already",
    "go die|away|to hell",
    "shut up",
    "heil|gas the|hitler|jews",
    "arschloch|scheiss*|fotze|hurensohn|wichser|versager|missgeburt|schlampe|talentlos*",
    "connard*|salope*|putain|merde|encule*|batard*|debile*",
    "puta|puto|mierda|gilipollas|cabron*|pendejo*|imbecil|estupid*|maricon",
    "merda|caralho|porra|otario|viado",
    "cazzo|stronz*|vaffanculo|puttana|coglion*|schifo|schifezza|idiota",
    "kurwa|chuj|suka|blyad|blyat|mudak|debil|pizd*|khuy*|gavno|govno|urod*|tupoy|tupaya",
    "klootzak|godverdomme|orospu|siktir|aptal|gerizekali",
];
