#!/usr/bin/env python3
"""Counts how many lone words and headings a model translates rightly.

Words of interfaces, newspapers and everyday life with the translations that we would accept, in
any capitals, with or without a full stop. The first list of a pair is the one on which the rule in
src/task/translate/readings.rs was chosen, the second was kept for the count.

    cargo build --release
    python3 scripts/eval/lone_words.py [--binary target/release/polygist] [--show] [-- FLAGS]

What stands after -- is passed on to polygist.
"""

import argparse
from pathlib import Path

from polygist_scripts.program import BINARY, arguments_and_flags, require, translate_lines

MODELS = {"pt-en": "firefox-pt-en-tiny", "en-pt": "firefox-en-pt-tiny"}

# Source: translation / translation; ...
WORDS = {
    "pt-en": [
        """
Olá: hello / hi; Obrigado: thank you / thanks; FIM: end / the end; Fim: end / the end; CASA:
house / home; Casa: house / home; HOME: home; Início: start / beginning / home / top; Esportes:
sports; Desporto: sport / sports; Economia: economy / economics / business; Política: politics /
policy; Mundo: world; Saúde: health; Cultura: culture; Opinião: opinion; Notícias: news;
NOTÍCIAS: news; Últimas notícias: latest news / breaking news; Leia mais: read more; LEIA MAIS:
read more; Leia também: read also / also read / read more / see also; Publicidade: advertising /
advertisement / advertisements; Contato: contact; Contactos: contacts / contact; Sobre nós:
about us; Água: water; Pão: bread; Cachorro: dog / puppy; Gato: cat; Sim: yes; Não: no; Talvez:
maybe / perhaps; Amanhã: tomorrow; Ontem: yesterday; Segunda-feira: monday; Janeiro: january;
Lisboa: lisbon; Brasil: brazil; Portugal: portugal; Presidente: president / the president;
Governo: government / the government; Guerra: war; Paz: peace; Liberdade: freedom / liberty;
Introdução: introduction; Conclusão: conclusion; Resumo: summary / abstract; Referências:
references; Bom dia: good morning; Boa noite: good night / good evening; Até logo: see you later
/ see you soon / goodbye / until later / bye; Com licença: excuse me; Por favor: please; Feliz
aniversário: happy birthday; Ajuda: help; Entrar: enter / log in / sign in / login; Sair: exit /
leave / log out / quit / sign out / logout; Pesquisar: search; Fechar: close; Comentários:
comments; Compartilhar: share; Jogo: game / match; Vitória: victory / win; Chuva forte: heavy
rain / heavy rainfall; Mar Negro: black sea; Reunião de emergência: emergency meeting; Mercado:
market
""",
        """
Bem-vindo: welcome; Desculpe: sorry / excuse me; Parabéns: congratulations; Adeus: goodbye /
farewell / bye; Família: family; Escola: school; Livro: book; Árvore: tree; Coração: heart;
Cidade: city; Rua: street; Mulher: woman; Homem: man; Criança: child; Dinheiro: money; Trabalho:
work / job; Tempo: time / weather; Noite: night; Manhã: morning; Fevereiro: february; Domingo:
sunday; Alemanha: germany; Ucrânia: ukraine; TECNOLOGIA: technology; Ciência: science; Educação:
education; Meio ambiente: environment; Justiça: justice; Polícia: police; Eleições: elections;
ELEIÇÕES: elections; Futebol: football / soccer; Preços: prices; Inflação: inflation; Banco
Central: central bank; Nova Iorque: new york; Direitos humanos: human rights; Boas festas: happy
holidays / season's greetings; Assine já: sign up now / subscribe now; Ver mais: see more / view
more / show more; Voltar: back / return / go back; Próximo: next; Anterior: previous; Cancelar:
cancel; Salvar: save; Perguntas frequentes: frequently asked questions / faq
""",
    ],
    "en-pt": [
        """
Hello: olá / oi / alô; Hi: olá / oi; Thanks: obrigado / obrigada; Thank you: obrigado /
obrigada; THE END: fim / o fim; End: fim / final; Home: início / página inicial / casa / lar /
inicial; HOME: início / página inicial / casa / lar / inicial; News: notícias / novidades; NEWS:
notícias / novidades; Sports: esportes / desporto / desportos; World: mundo / mundial; Politics:
política; Business: negócios / empresas / negócio / comercial; Health: saúde; Culture: cultura;
Opinion: opinião; Weather: tempo / clima / meteorologia / previsão do tempo; Breaking news:
últimas notícias / notícias de última hora / notícia de última hora; Read more: leia mais / ler
mais / saiba mais; READ MORE: leia mais / ler mais / saiba mais; Share: compartilhar / partilhar
/ compartilhe / partilhe; Comments: comentários; Advertisement: anúncio / publicidade; Contact:
contato / contacto; About us: sobre nós; Water: água; Bread: pão; Dog: cão / cachorro; Cat:
gato; Yes: sim; No: não; Maybe: talvez; Tomorrow: amanhã; Yesterday: ontem; Monday:
segunda-feira / segunda; January: janeiro; London: londres; Germany: alemanha; President:
presidente / o presidente; Government: governo / o governo; War: guerra; Peace: paz; Freedom:
liberdade; Introduction: introdução; Conclusion: conclusão; Summary: resumo / sumário;
References: referências; Good night: boa noite; Goodbye: adeus / tchau / até logo; Please: por
favor; Sorry: desculpe / desculpa / desculpem / lamento / perdão; Happy birthday: feliz
aniversário / parabéns; Help: ajuda / ajudar / socorro; Search: pesquisar / buscar / pesquisa /
busca / procurar / procura; Close: fechar / feche; Sign in: entrar / iniciar sessão / fazer
login / login / faça login / conecte-se / entre; Settings: configurações / definições; Download:
baixar / download / transferir / descarregar; Game: jogo; Victory: vitória; Heavy rain: chuva
forte / chuvas fortes / chuva intensa / chuva pesada; Black Sea: mar negro; Emergency meeting:
reunião de emergência; Market: mercado; Table of contents: índice / sumário / tabela de
conteúdos / tabela de conteúdo
""",
        """
Welcome: bem-vindo / bem-vinda / bem-vindos / boas-vindas; Congratulations: parabéns; Family:
família; School: escola; Book: livro; Tree: árvore; Heart: coração; City: cidade; Street: rua;
Woman: mulher; Man: homem; Child: criança / filho; Money: dinheiro; Work: trabalho; Time: tempo
/ hora; Night: noite; Morning: manhã / bom dia; February: fevereiro; Sunday: domingo; Portugal:
portugal; Ukraine: ucrânia; TECHNOLOGY: tecnologia; Science: ciência; Education: educação;
Environment: ambiente / meio ambiente; Justice: justiça; Police: polícia; Elections: eleições;
ELECTIONS: eleições; Football: futebol; Prices: preços; Inflation: inflação; Central bank: banco
central; New York: nova iorque / nova york; Human rights: direitos humanos; Subscribe now:
assine agora / inscreva-se agora / subscreva agora / assine já / subscreva já; See more: ver
mais / veja mais; Back: voltar / de volta / atrás / costas / volta; Next: próximo / seguinte /
próxima / a seguir / seguintes; Previous: anterior; Cancel: cancelar; Save: salvar / guardar /
poupar / gravar; FAQ: faq / perguntas frequentes; Latest: último / últimas / mais recente /
últimos / mais recentes / última; Live: ao vivo / viver / vivo / em direto / direto; Good
afternoon: boa tarde
""",
    ],
}


def accepted(listed: str) -> dict[str, list[str]]:
    """The words of a list, each with its translations."""
    found = {}
    for entry in " ".join(listed.split()).split("; "):
        word, translations = entry.split(": ")
        found[word] = translations.split(" / ")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts lone words that come out right.")
    parser.add_argument("--binary", type=Path, default=BINARY, help="the program")
    parser.add_argument("--show", action="store_true", help="show what is not accepted")
    own, flags = arguments_and_flags()
    arguments = parser.parse_args(own)
    require(arguments.binary, "--binary")
    for pair, lists in WORDS.items():
        source, target = pair.split("-")
        counts = []
        for listed in lists:
            words = accepted(listed)
            model = [] if "--model" in flags else ["--model", MODELS[pair]]
            written = translate_lines(
                arguments.binary, source, target, list(words), [*model, *flags]
            )
            right = 0
            for (word, translations), text in zip(words.items(), written):
                if text.strip().rstrip(".").lower() in translations:
                    right += 1
                elif arguments.show:
                    print(f"    {word}: {text}")
            counts.append(f"{right} of {len(words)}")
        print(f"{pair}: {', '.join(counts)}")


if __name__ == "__main__":
    main()
