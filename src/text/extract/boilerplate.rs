//! Lines of a web page that are not of the article: navigation, share buttons, comment counts,
//! notices.

use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Judgement of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Part of the article, as far as can be told.
    Article,
    /// A single word of a menu, which could also be a line of the text: drop it beside other
    /// boilerplate at the top or the end.
    AtEdges,
    /// Boilerplate wherever it stands.
    Anywhere,
}

/// Whole lines of boilerplate in the languages of much news, divided by `|`: in lower case, digits
/// as `#`, without punctuation at the ends.
const ANYWHERE: &str = "\
    previous post|next post|previous post next post|previous article|next article|\
    previous article next article|older posts|newer posts|previous story|next story|# comments|\
    # comment|comments #|no comments|no comments yet|leave a comment|leave a reply|\
    leave a reply cancel reply|post a comment|add a comment|add comment|view comments|\
    show comments|view all comments|share this|share this article|share this story|share this post|\
    share on facebook|share on twitter|share on x|share on linkedin|share on whatsapp|\
    share via email|share this with friends|email this article|print this article|click to share|\
    copy link|link copied|read more|read also|also read|continue reading|continue reading below|\
    read the full story|story continues below|article continues below|click here|subscribe now|\
    sign up now|sign up for our newsletter|subscribe to our newsletter|subscribe to newsletter|\
    advertisement|advertisements|article continues after advertisement|\
    story continues below advertisement|continue reading the main story|skip advertisement|\
    skip to content|skip to main content|sponsored content|sponsored|promoted content|\
    related articles|related stories|related posts|related news|related topics|related content|\
    you may also like|you might also like|recommended for you|recommended stories|most read|\
    most popular|more on this story|trending now|back to top|load more|show more|see more|\
    follow us|follow us on twitter|follow us on facebook|follow us on x|follow us on google news|\
    accept cookies|accept all|accept all cookies|reject all|manage cookies|cookie settings|\
    cookie policy|privacy policy|terms of use|terms of service|terms and conditions|\
    all rights reserved|# min read|# minute read|# minutes read|reading time # min|# shares|\
    # likes|# views|# share|log in to comment|login to comment|save article|listen to this article|\
    enlarge image|image caption|artikel teilen|teilen auf facebook|# kommentare|# kommentar|\
    kommentare #|kommentar schreiben|mehr zum thema|weiterlesen|lesen sie auch|anzeige|\
    zur startseite|nächster artikel|vorheriger artikel|newsletter abonnieren|\
    alle cookies akzeptieren|artikel drucken|das könnte sie auch interessieren|\
    partager cet article|partager sur facebook|partager sur twitter|lire aussi|à lire aussi|\
    lire la suite|lire plus|# commentaires|# commentaire|laisser un commentaire|article précédent|\
    article suivant|publicité|abonnez-vous|sur le même sujet|tout accepter|tout refuser|\
    s’inscrire à la newsletter|s'inscrire à la newsletter|compartir en facebook|leer más|\
    lee también|lea también|# comentarios|# comentario|deja un comentario|dejar un comentario|\
    publicidad|artículo anterior|artículo siguiente|te puede interesar|noticias relacionadas|\
    aceptar todas|aceptar cookies|compartilhe|compartilhar no facebook|leia mais|leia também|\
    # comentários|# comentário|deixe um comentário|publicidade|notícias relacionadas|\
    artigo anterior|próximo artigo|saiba mais|condividi su facebook|leggi anche|leggi di più|\
    leggi tutto|# commenti|# commento|lascia un commento|pubblicità|articolo precedente|\
    articolo successivo|accetta tutti i cookie|citește și|citește mai mult|# comentarii|\
    articolul anterior|articolul următor|publicitate|lees ook|lees meer|lees verder|# reacties|\
    # reactie|plaats een reactie|advertentie|vorig artikel|volgend artikel|deel dit artikel|\
    läs också|läs mer|läs även|# kommentarer|annons|dela artikeln|læs også|læs mere|annonce|\
    del artiklen|les også|les mer|annonse|lue myös|lue lisää|# kommenttia|mainos|jaa artikkeli|\
    czytaj także|czytaj też|czytaj więcej|zobacz także|# komentarzy|# komentarze|dodaj komentarz|\
    reklama|poprzedni artykuł|następny artykuł|udostępnij|čtěte také|číst dále|# komentářů|reklamy|\
    předchozí článek|další článek|prečítajte si aj|čítajte viac|olvasd el ezt is|hirdetés|\
    # hozzászólás|előző cikk|következő cikk|pročitajte i|# komentara|читайте также|читать далее|\
    читать полностью|подробнее|# комментариев|# комментария|# комментарий|оставить комментарий|\
    реклама|предыдущая статья|следующая статья|предыдущая запись|следующая запись|\
    поделиться в facebook|поделиться|подписывайтесь на нас|читайте також|читати далі|# коментарів|\
    # коментарі|залишити коментар|попередня стаття|наступна стаття|поділитися|прочетете още|\
    вижте още|# коментара|прочети още|тағы оқыңыз|жарнама|ayrıca okuyun|devamını oku|devamı|\
    # yorum|yorum yap|reklam|önceki haber|sonraki haber|ilgili haberler|haberi paylaş|# şərh|\
    əvvəlki xəbər|növbəti xəbər|davamını oxu|διαβάστε επίσης|διαβάστε περισσότερα|# σχόλια|\
    διαφήμιση|προηγούμενο άρθρο|επόμενο άρθρο|կարդացեք նաև|կարդալ ավելին|წაიკითხეთ ასევე|\
    წაიკითხეთ მეტი|რეკლამა|קראו גם|קרא עוד|# תגובות|פרסומת|اقرأ أيضا|اقرأ أيضاً|اقرأ المزيد|\
    إقرأ أيضا|# تعليقات|# تعليق|إعلان|المقال السابق|المقال التالي|شارك المقال|اترك تعليقا|\
    بیشتر بخوانید|ادامه مطلب|# نظر|آگهی|مطلب قبلی|مطلب بعدی|यह भी पढ़ें|और पढ़ें|ये भी पढ़ें|\
    # टिप्पणियां|विज्ञापन|上一篇|下一篇|阅读更多|閱讀更多|延伸閱讀|相关阅读|相关新闻|相關新聞|广告|廣告|#条评论|# 条评论|#則留言|分享到微信|分享到微博|\
    続きを読む|関連記事|あわせて読みたい|広告|前の記事|次の記事|コメント|#件のコメント|シェアする|関連ニュース|관련기사|관련 기사|이전 기사|다음 기사|더 보기|더보기|\
    댓글 #|댓글 #개|광고|기사 공유|xem thêm|đọc thêm|bài trước|bài tiếp theo|# bình luận|quảng cáo|\
    tin liên quan|baca juga|baca selengkapnya|# komentar|iklan|artikel sebelumnya|\
    artikel selanjutnya|berita terkait|อ่านเพิ่มเติม|โฆษณา";

/// Words of menus and buttons, divided by `|`.
const AT_EDGES: &str = "\
    share|shares|tweet|email|e-mail|print|facebook|twitter|x|whatsapp|telegram|linkedin|pinterest|\
    reddit|instagram|youtube|tiktok|messenger|viber|vk|weibo|copy|save|bookmark|home|menu|search|\
    log in|login|sign in|sign up|register|subscribe|newsletter|contact|contact us|about us|about|\
    news|comments|comment|reply|like|likes|tags|more|next|previous|prev|back|close|top|trending|\
    popular|recommended|related|cookies|imprint|impressum|datenschutz|agb|rss|teilen|drucken|\
    kommentare|werbung|anmelden|startseite|suche|partager|imprimer|commenter|commentaires|accueil|\
    s'abonner|se connecter|compartir|imprimir|comentarios|inicio|suscríbete|compartilhar|\
    comentários|condividi|stampa|commenti|delen|dela|del|jaa|komentarze|drukuj|sdílet|diskuse|tisk|\
    поделиться|комментарии|печать|главная|поділитися|коментарі|сподели|paylaş|yazdır|yorumlar|\
    κοινοποίηση|مشاركة|شارك|طباعة|تعليقات|اشتراک گذاری|שתף|शेयर करें|分享|评论|評論|打印|首页|シェア|ツイート|印刷|\
    ホーム|공유|인쇄|댓글|chia sẻ|in|bình luận|bagikan|cetak|komentar";

static PHRASES: LazyLock<HashMap<&str, Verdict>> = LazyLock::new(|| {
    let buttons = AT_EDGES.split('|').map(|phrase| (phrase, Verdict::AtEdges));
    buttons.chain(ANYWHERE.split('|').map(|phrase| (phrase, Verdict::Anywhere))).collect()
});

/// Beginnings of lines that go on with a headline or an offer. Here and below, words end as ASCII
/// has it: with Unicode's borders of words, a text with any other letter is searched many times
/// slower.
static BEGINNINGS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)^(?:
        (?:puedes\s+ver|(?:te|le)\s+puede\s+interesar|auch\s+lesen|lesen\s+sie\s+hier
          |lesen\s+sie\s+dazu|(?:read|see|watch)\s+(?:more|also|next)|also\s+read
          |related(?:\s+(?:article|story
          |stories))?|more\s+on\s+this|recommended)\s*[:：|»→-]
      | (?:lire\s+aussi|à\s+lire\s+aussi|lire\s+également|lee\s+también|lea\s+también|leer\s+más
          |leia\s+(?:também|mais)|leggi\s+anche|lesen\s+sie\s+auch|mehr\s+zum\s+thema|lees\s+ook
          |läs\s+(?:också|även|mer)|læs\s+også|les\s+også|lue\s+myös
          |czytaj\s+(?:także|też|więcej)|zobacz\s+(?:także|też)|čtěte\s+také|citește\s+și
          |читайте\s+также|читайте\s+також|прочетете\s+още|ayrıca\s+okuyun|baca\s+juga|xem\s+thêm
          |اقرأ\s+أيضا?ً?|यह\s+भी\s+पढ़ें|延伸閱讀|相关阅读|関連記事)\s*[:：|»→-]
      | (?:sign\s+up|subscribe|register)\s+(?:now\s+|here\s+|today\s+)?(?:for|to)\s+(?:our|the|your
          |free)(?-u:\b)
      | (?:we|this\s+(?:web)?site|our\s+(?:web)?site)\s+uses?\s+cookies
      | by\s+(?:continuing|clicking|using\s+this)(?-u:\b).*(?-u:\b)(?:cookies|privacy|terms)(?-u:\b)
      | (?:wir|diese\s+(?:web)?site|diese\s+webseite)\s+(?:verwenden|verwendet|nutzen
          |nutzt)\s+cookies
      | (?:nous\s+utilisons|ce\s+site\s+utilise|utilizamos|este\s+sitio\s+(?:web\s+)?(?:usa
          |utiliza)|este\s+site\s+(?:usa|utiliza)|questo\s+sito\s+(?:usa|utilizza)|usamos
          |мы\s+используем|ми\s+використовуємо|používáme|używamy|vi\s+bruger|vi\s+använder
          |wij\s+gebruiken)\s+(?:(?:des|les|i|los|las|os|soubory|plików|файлы|файли)\s+)?cookie
      | (?:©|\(c\)|copyright\s+(?:©|\(c\)|\d{4}))
      | follow\s+(?:us|\S+)\s+on\s+(?:x|twitter|facebook|instagram|google|telegram|whatsapp
          |youtube)(?-u:\b)
      | (?:you\s+have|you've)\s+\S+\s+free\s+articles?
      | (?:previous|next)\s+(?:post|article|story)\s*[:：»«→←-]
      | (?:click|tap)\s+here\s+to(?-u:\b)
      | download\s+(?:our|the)\s+(?:free\s+)?app(?-u:\b)
    )";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Headings of the sections after an article, divided by `|`.
const ENDS: &str = "\
    related articles|related stories|related posts|related news|related topics|related content|\
    related|more stories|more articles|more news|more from|read more|read next|what to read next|\
    see also|further reading|more on this topic|more on this story|you may also like|\
    you might also like|recommended|recommended reading|recommended for you|latest news|\
    latest articles|latest posts|recent posts|recent articles|popular posts|most popular|\
    most read|about the author|about the authors|about author|author|comments|leave a comment|\
    leave a reply|post a comment|join the conversation|# comments|# comment|tags|topics|\
    keywords|sources|source|references|contact|press contact|media contact|newsletter|\
    subscribe|share this|share|follow us|stay up to date|stay up-to-date|\
    further information|more information|\
    notes to editors|\
    verwandte artikel|verwandte beiträge|verwandte themen|verwandte themenbereiche|\
    ähnliche artikel|ähnliche beiträge|ähnliche themen|weitere artikel|weitere beiträge|\
    weitere themen|weitere nachrichten|weitere meldungen|weitere informationen|weitere infos|\
    weiterführende informationen|weiterführende links|mehr zum thema|zum thema|mehr dazu|\
    mehr informationen|lesen sie auch|das könnte sie auch interessieren|\
    das könnte dich auch interessieren|das könnte ihnen auch gefallen|auch interessant|\
    neueste artikel|neueste beiträge|aktuelle beiträge|aktuelle artikel|meistgelesen|\
    beliebte artikel|über den autor|über die autorin|über die autoren|zum autor|autor|autorin|\
    zur person|kommentare|kommentar|# kommentare|# kommentar|kommentar schreiben|\
    schreibe einen kommentar|kommentar hinterlassen|diskutieren sie mit|schlagworte|\
    schlagwörter|stichworte|quellen|quelle|quellenangaben|quellenangabe|literatur|\
    einzelnachweise|kontakt|pressekontakt|ansprechpartner|rückfragen|\
    newsletter anmelden|zum weiterlesen|weiterlesen|downloads|download|links|bildnachweis|\
    zusatzinformationen|impressum|\
    articles liés|articles similaires|articles connexes|sur le même sujet|sur le même thème|\
    à lire aussi|lire aussi|voir aussi|pour aller plus loin|en savoir plus|les plus lus|\
    à propos de l'auteur|l'auteur|commentaires|# commentaires|laisser un commentaire|\
    mots clés|mots-clés|sources et références|références|contact presse|contacts|\
    artículos relacionados|noticias relacionadas|notas relacionadas|te puede interesar|\
    le puede interesar|lea también|lee también|más noticias|más información|más sobre|\
    lo más leído|lo más visto|sobre el autor|comentarios|# comentarios|deja un comentario|\
    etiquetas|temas relacionados|fuentes|fuente|contacto|\
    artigos relacionados|notícias relacionadas|leia também|leia mais|mais lidas|\
    sobre o autor|deixe um comentário|comentários|\
    articoli correlati|leggi anche|ti potrebbe interessare|potrebbe interessarti anche|\
    commenti|lascia un commento|notizie correlate|fonti|fonte|\
    gerelateerde artikelen|lees ook|meer over|reacties|over de auteur|bronnen|bron|\
    powiązane artykuły|powiązane|zobacz także|zobacz też|czytaj także|czytaj też|\
    przeczytaj także|komentarze|dodaj komentarz|podobne artykuły|polecane|źródło|źródła|\
    související články|související|čtěte také|mohlo by vás zajímat|komentáře|zdroj|zdroje|\
    kapcsolódó cikkek|ezek is érdekelhetnek|ez is érdekelheti|hozzászólások|forrás|\
    articole similare|citește și|comentarii|läs också|läs mer|relaterade artiklar|\
    læs også|relaterede artikler|les også|lue myös|aiheesta lisää|\
    читайте также|по теме|похожие статьи|материалы по теме|комментарии|источник|источники|\
    читайте також|коментарі|джерело|вижте още|прочетете още|коментари|източник|\
    ilgili haberler|benzer yazılar|yorumlar|kaynak|kaynaklar|bunlar da ilginizi çekebilir|\
    σχετικά άρθρα|διαβάστε επίσης|σχόλια|πηγή|\
    相关阅读|相关新闻|相关文章|延伸阅读|延伸閱讀|相關新聞|相關文章|推荐阅读|参考资料|评论|評論|来源|\
    関連記事|関連ニュース|あわせて読みたい|おすすめ記事|コメント|参考文献|관련기사|관련 기사|댓글|\
    مقالات ذات صلة|مواضيع ذات صلة|اقرأ أيضا|اقرأ أيضاً|تعليقات|مطالب مرتبط|نظرات|כתבות נוספות|\
    תגובות|baca juga|artikel terkait|berita terkait|komentar|tin liên quan|bài viết liên quan|\
    bình luận|संबंधित खबरें|ये भी पढ़ें|यह भी पढ़ें";

static END_HEADINGS: LazyLock<std::collections::HashSet<&str>> =
    LazyLock::new(|| ENDS.split('|').map(str::trim).collect());

/// Whether a line is the heading of a section after the article.
pub(super) fn heads_an_end(text: &str) -> bool {
    END_HEADINGS.contains(key(text).as_str())
        || (text.trim_end().ends_with(':') || text.len() < 60) && AWAY.is_match(text)
}

/// Beginnings of headings of sections after the article.
static AWAY: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)^\W*(?:related|more\s+(?:from|on|about|in)|read\s+(?:more|also|next
          |further)|also\s+read|see\s+also
        |you\s+(?:may|might)\s+also|recommended\s+for|stay\s+up.to.date|subscribe|sign\s+up
          |don.t\s+miss|about\s+the\s+author
        |(?:weitere|verwandte|ähnliche|neueste|mehr)\s+(?:artikel|beiträge|themen|texte
          |nachrichten|meldungen|news|zum\s+thema|aus|von|auf)
        |lesen\s+sie\s+(?:auch|hier|mehr|dazu|weiter)|auch\s+lesen|das\s+könnte
          |(?:zum\s+)?newsletter|über\s+den\s+autor|über\s+die\s+autor
        |lire\s+aussi|à\s+lire|voir\s+aussi|sur\s+le\s+même|articles\s+(?:liés|similaires)
        |(?:lea|lee)\s+también|puedes\s+ver|(?:te|le)\s+puede\s+interesar|más\s+(?:noticias|sobre
          |información)|notas?\s+relacionadas?|noticias\s+relacionadas
        |leia\s+(?:também|mais)|leggi\s+anche|ti\s+potrebbe|lees\s+ook|meer\s+over
          |czytaj\s+(?:też|także|więcej)|zobacz\s+(?:też|także)
        |přečtěte|čtěte|mohlo\s+by|читайте\s+(?:также|також)|по\s+теме)(?:\W|$)";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Words anywhere in a short block that make it a notice of the site.
static NOTICE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)all\s+rights\s+reserved|alle\s+rechte\s+vorbehalten
          |tous\s+droits\s+réservés|todos\s+los\s+derechos\s+reservados
        |todos\s+os\s+direitos\s+reservados|tutti\s+i\s+diritti\s+riservati
          |wszelkie\s+prawa\s+zastrzeżone|všechna\s+práva\s+vyhrazena|minden\s+jog\s+fenntartva
        |все\s+права\s+защищены|всі\s+права\s+захищені|tüm\s+hakları\s+saklıdır
          |alle\s+rechten\s+voorbehouden|版权所有|無断転載
        |^(?:this\s+entry\s+was\s+posted|this\s+(?:post
          |article)\s+(?:was\s+)?(?:first\s+)?(?:published|filed)|dieser\s+(?:eintrag|beitrag
          |artikel|text)\s+wurde\s+(?:veröffentlicht|am\s|unter))
        |^(?:síguenos|siguenos|síganos|siga-nos|siga\s+o|seguici|suivez[ -]nous
          |folgen\s+sie\s+uns|folge\s+uns|obserwuj\s+nas|śledź\s+nas|volg\s+ons|följ\s+oss
          |sledujte\s+nás|bizi\s+takip)(?-u:\b)
        |respektieren\s+(?:deine|ihre)\s+privatsphäre|(?:externe[rn]?
          |eingebettete[rn]?)\s+inhalte?(?-u:\b).{0,80}(?-u:\b)(?:geladen|laden|anzeigen|angezeigt
          |zustimm\w*)|(?:akzeptieren|stimmen)\s+sie(?-u:\b).{0,60}(?-u:\b)datenschutz
        |bookmark\s+the\s+permalink|empfohlener\s+redaktioneller\s+inhalt
          |recommended\s+(?:editorial\s+)?content
        |(?:(?:log\s*in|sign\s+in|logged\s+in|register|anmelden|einloggen|angemeldet|registrieren
          |connecte)(?-u:\b)|connecté).{0,40}(?-u:\b)(?:to\s+(?:comment|reply|post)|comment
          |kommentar\w*|kommentieren|commenter|commentaires?)
        |javascript(?-u:\b).{0,60}(?-u:\b)(?:enable|aktivier\w*|activ\w*|disabled|deaktiviert)
        |(?:enable|aktivier\w*|activer|activez|turn\s+on)(?-u:\b).{0,40}(?-u:\b)javascript";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Words of offers and notices.
static OFFER: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)cookie|newsletter|subscri|abonn|abo\b|sign\s*(?:up|in)|log\s*in|e-?mail
          |privacy|datenschutz|gdpr|dsgvo|rgpd|consent|einwillig|zustimm|suscri|assin(?:e|ante)
          |inscri|iscri|anmeld|einlogg|registr|premium|prenumer|подпис|підпис|登録|订阅|訂閱|구독";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Whether a text speaks of subscriptions, logins, letters or cookies.
pub(super) fn offers(text: &str) -> bool {
    OFFER.is_match(text)
}

/// A caption's credit at the end of a block.
static CREDITED: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)[\s(\[/|.](?:foto|fotos|fotografía|photo|photos|bild|bilder|image
          |picture|credit|crédit|©|\(c\)|grafik|illustration)\s*(?:[:/©]|by\s|von\s
          |de\s)?\s*[^.!?:]{2,60}\.?$";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Whether a block is a caption with the name of who took the picture.
pub(super) fn is_caption(text: &str) -> bool {
    text.len() < 260 && CREDITED.find(text).is_some_and(|m| m.as_str().contains([':', '©', '/']))
}

static BYLINE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?x)^(?i:by|von|por|par|di|door|av|af|autor|autorin|author|text|redaktion
          |verfasst\s+von|posted\s+by|written\s+by|escrito\s+por|publié\s+par|publicado\s+por
          |przez|napisał|автор|yazan)\s*:?\s+\p{Lu}[^.!?]{0,80}$
        |^[^.!?]{0,60}\b(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}
          |\d{1,2}\.?\s+\p{L}+\s+\d{4}|\p{L}+\s+\d{1,2},?\s+\d{4}|\d+\s*min)\b[^.!?]{0,60}$";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Whether a short block is a byline or a dateline.
pub(super) fn is_byline(text: &str) -> bool {
    text.len() < 160 && BYLINE.is_match(text.trim())
}

/// Where, and by which agency or when, before the first sentence of a report: `Paris (AFP) – `,
/// `Rome, 3 May 2024 - `.
static DATELINE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?x)^\p{Lu}[^.!?–—()]{1,40}
          (?:\s\(\p{L}{2,12}\)
          |,\s[^.!?–—()]{0,16}(?:\d{1,2}\.?\s+\p{L}{3,12}|\p{L}{3,12}\s+\d{1,2}),?\s+\d{4})
          \s*[–—-]{1,2}\s+[“„«\x22']?\p{Lu}";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Whether a paragraph begins as the first of a news agency's report does.
pub(super) fn has_dateline(text: &str) -> bool {
    DATELINE.is_match(text)
}

static CREDIT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)^\W*(?:source|quellen?|bildquelle|foto|fotos|photo|photos|image|images
          |bild|bilder|titelbild|titelfoto|fuente|fonte|źródło|zdroj|forrás|crédit|crédits|credit
          |credits|copyright|via|text|autor|author|redaktion|picture|pictures|photograph|tags
          |schlagworte|stichworte|themen|topics|filed\s+under|posted\s+in|categor(?:y|ies)
          |kategorien?)
        (?:\s+\w+){0,2}\s*[:©/]";
    Regex::new(pattern).expect("the pattern is constant and tested")
});

/// Whether a line says where a text or picture comes from, or how it is filed.
pub(super) fn is_credit(text: &str) -> bool {
    text.len() < 300 && CREDIT.is_match(text)
}

/// Judges one line or block.
pub(super) fn judge(text: &str) -> Verdict {
    // The longest phrase has under 60 characters, the longest notice that is worth dropping under
    // 400.
    if text.len() > 1200 || text.chars().count() > 400 {
        return Verdict::Article;
    }
    let key = key(text);
    if let Some(&verdict) = PHRASES.get(key.as_str()) {
        return verdict;
    }
    if is_chain(&key) {
        return Verdict::Anywhere;
    }
    let trimmed =
        text.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '©' | '('));
    if BEGINNINGS.is_match(trimmed) || NOTICE.is_match(trimmed) {
        Verdict::Anywhere
    } else {
        Verdict::Article
    }
}

/// Whether a line is several buttons in a row: "Facebook Twitter Email Print".
fn is_chain(key: &str) -> bool {
    let words: Vec<&str> = key.split([' ', '|', '·', '•', '/']).filter(|w| !w.is_empty()).collect();
    (2..=12).contains(&words.len())
        && words.iter().all(|w| PHRASES.get(w) == Some(&Verdict::AtEdges))
}

/// The form of a line in [`PHRASES`]: lower case, numbers as `#`, single spaces, no punctuation or
/// symbols at the ends.
fn key(text: &str) -> String {
    let lower = text.to_lowercase();
    let trimmed = lower.trim_matches(|c: char| !c.is_alphanumeric());
    let mut out = String::with_capacity(trimmed.len());
    for word in trimmed.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let bare = word.trim_matches(['(', ')', '[', ']', ':']);
        let mut in_number = false;
        for c in bare.chars() {
            let number = c.is_numeric() || in_number && matches!(c, '.' | ',');
            if !number {
                out.push(c);
            } else if !in_number {
                out.push('#');
            }
            in_number = number;
        }
    }
    out
}

/// Tells for each block of an article, given their texts, whether to keep it: all that are not
/// boilerplate, or every block if none would be left.
pub(super) fn keep(texts: &[&str]) -> Vec<bool> {
    let verdicts: Vec<Verdict> = texts.iter().map(|t| judge(t)).collect();
    let mut keep: Vec<bool> = verdicts.iter().map(|v| *v != Verdict::Anywhere).collect();
    // Menus stand at the top and at the end. One word alone may be a title or a last line, so two
    // are wanted.
    let edge = |range: &mut dyn Iterator<Item = usize>| {
        range.take_while(|&i| verdicts[i] != Verdict::Article).collect::<Vec<_>>()
    };
    for run in [edge(&mut (0..texts.len())), edge(&mut (0..texts.len()).rev())] {
        if run.len() >= 2 {
            run.into_iter().for_each(|i| keep[i] = false);
        }
    }
    if keep.iter().any(|k| *k) { keep } else { vec![true; texts.len()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_the_dirt_of_web_pages() {
        for text in [
            "11 Comments",
            "Previous Post Next Post",
            "« Previous Post",
            "Read more »",
            "READ MORE: Bank raises rates again",
            "Share on Facebook",
            "3 min read",
            "1,204 shares",
            "Читайте также: Новый закон",
            "We use cookies to improve your experience. Accept?",
            "© 2024 The Daily News. All rights reserved.",
            "Sign up for our daily newsletter and never miss a story.",
            "Lire aussi : la réforme",
            "続きを読む",
            "Facebook Twitter Email Print",
            "Comments (11)",
            "اقرأ أيضا",
            "Vous devez être connecté pour laisser un commentaire",
            "Síguenos: también en Telegram",
            "Mit der Anzeige akzeptieren Sie für diese Seite unsere Datenschutzerklärung",
        ] {
            assert_eq!(judge(text), Verdict::Anywhere, "{text}");
        }
        for text in [
            "He shared the prize.",
            "By Jane Doe",
            "The company uses cookies to track its users, regulators said.",
            "Comments by the minister caused outrage.",
            "Read more books, experts say",
            "Related costs rose by 5%.",
            "Anzeigen gegen den Minister",
            "",
        ] {
            assert_eq!(judge(text), Verdict::Article, "{text}");
        }
    }

    #[test]
    fn menu_words_fall_at_the_edges_only() {
        assert_eq!(
            keep(&["Home", "News", "Talks begin", "Share", "The talks began.", "Share", "Print"]),
            [false, false, true, true, true, false, false]
        );
        assert_eq!(keep(&["Share", "The talks began."]), [true, true]);
        assert_eq!(keep(&["Share"]), [true]);
    }
}
