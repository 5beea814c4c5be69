"""The words of a question that say nothing of its subject, by language: as typed, in lower case, without accents.

Lists of our own, of what people write around a question (pronouns, auxiliaries, articles, courtesies). They are
dropped from questions only: the index keeps every word.
"""

from collections.abc import Mapping

_WRITTEN: Mapping[str, str] = {
    "en": """a about also am an and any anybody anyone anything are aren't as at be because been being but by can can't
        cannot could couldn't did didn't do does doesn't doing don't dont else for from get gets getting give go got had
        has hasn't have haven't having he hello help her here hers hey hi him his how how's i i'd i'll i'm i've if im in
        into is isn't it it's its itself just know let like make may me might mine much must my myself need needs no nor
        of off on once one or other our ours out own please should shouldn't so some somebody someone something tell
        than thank thanks that that's the their theirs them then there there's these they they're this those to too us
        use used using very want wanted wants was wasn't way ways we we're were weren't what what's when where where's
        which while who whom whose why will with won't would wouldn't you you're your yours""",
    "de": """aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist bitte
        da damit danke dann das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir
        doch dort du durch ein eine einem einen einer eines er es etwas euch euer fur gerne gibt guten haben habe hallo
        hat hatte hatten hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins irgendwie ist ja jede jedem jeden
        jeder jedes jetzt kann kannst kein keine keinen konnen konnte konnten machen man mehr mein meine meinem meinen
        meiner mich mir mit mochte muss mussen nach nicht nichts noch nun nur ob oder ohne schon sehr sein seine sich sie
        sind so sollte soll tag um und uns unser unsere unter viel vom von vor wann war waren warum was weil welche
        welchem welchen welcher welches wenn wer werden wie wieder will wir wird wo wurde wurden zu zum zur""",
    "es": """a al algo alguien algun alguna algunas alguno algunos ante aqui asi aun aunque buenas buenos cada como con
        cual cuales cuando cuanto cuanta cuantas cuantos de del desde dias donde dos e el ella ellas ellos en entre era
        es esa esas ese eso esos esta estan estas este esto estos estoy favor fue gracias ha hace hacer han hasta hay he
        hola la las le les lo los mas me mi mis mucho muy nada ni no nos nosotros o os otra otro otros para pero por
        porque puede pueden puedo que quien quiero quisiera se sea ser si sido sin sobre solo son soy su sus tambien
        tan tanto te tener tengo ti tiene tienen todo todos tu tus un una unas uno unos usted ustedes y ya yo""",
    "fr": """a ai alors au aucun aussi autre aux avec avez avoir bien bonjour ca car ce cela ces cet cette ceux chaque
        comme comment dans de des donc dont du elle elles en encore entre es est et etait etre eu faire fait faut ici il
        ils j'ai je l la le les leur leurs lui ma mais me meme merci mes moi mon ne ni nos notre nous on ont ou par pas
        peu peut peut-on peux plus pour pourquoi pouvez puis-je qu quand que quel quelle quelles quels qui quoi s'il sa
        sans se ses si son sont souhaite suis sur ta te tes toi ton tous tout toute toutes tres tu un une vers vos votre
        voudrais vous y""",
    "it": """a ad agli ai al alla alle allo anche avere buongiorno c'e che chi ci ciao come con cosa cui da dagli dai dal
        dalla dalle de degli dei del della delle dello di dove due e ed era essere fa fare gli grazie ha hai hanno ho i
        il in io la le lei li lo loro lui ma me mi mia mie miei mio molto ne nei nel nella nelle no noi non nostro o per
        perche piu posso potete puo qual quale quali quando quanto quella quello questa queste questi questo qui sarebbe
        se sei si sia siamo sono su sua sue sul sulla suo suoi tu tua tuo tutti tutto un una uno voi vorrei""",
    "nl": """aan al alle als alstublieft andere ben bent bij daar dan dank dat de deze die dit doe doen door dus een en er
        had hallo heb hebben heeft hem het hij hoe hun ik in is ja je jij jou jouw kan kun kunnen maar maken me meer met
        mij mijn moet moeten na naar niet nog nu of om omdat ons onze ook op over te tegen toch tot u uit uw van veel
        voor waar waarom wanneer want waren was wat we weer welk welke werd wie wij wil willen word worden wordt zal ze
        zich zij zijn zo zonder zou""",
    "pl": """a aby ale albo bardzo bez by byc byl byla bylo chce chcialbym chcialabym ci co czy czym dla dlaczego do dzien
        dobry gdy gdzie i ich ile ja jak jaka jaki jakie jako jego jej jest jestem jesli juz kiedy kto ktora ktore
        ktory lub ma mam mi mnie moge moge moj moja moje mozna moze musze my na nad nam nie niz o od on ona ono oraz po
        pod prosze przed przez przy sa sie skad ta tak takze tam te tego tej ten to tu ty tylko w we wiec z za ze
        zeby""",
    "pt": """a ao aos aquela aquele aqui as ate bom com como da das de dela dele depois dia do dos e ela elas ele eles em
        entre era essa esse esta estao estas estava este estes estou eu fazer foi gostaria ha isso isto ja lhe mais mas
        me mesmo meu meus minha minhas muito na nao nas nem no nos nossa nosso num numa o obrigado obrigada ola os ou
        para pela pelo pode podem por porque posso preciso qual quais quando quanto que quem quero se sem ser seu seus
        so sua suas sou tambem te tem tenho ter teu tu tua um uma voce voces""",
}

STOP_WORDS: Mapping[str, frozenset[str]] = {language: frozenset(words.split()) for language, words in _WRITTEN.items()}
