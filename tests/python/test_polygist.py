"""The package for Python, as its users call it, with the tiny models of the fixtures.

    pip install . && python -m unittest discover tests/python

What needs pandas, polars or pyarrow is skipped where they are not installed.
"""

import importlib.util
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import polygist

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
FRENCH = "La rivière est montée de 40 centimètres lundi. La ville a fermé son plus vieux pont."
GERMAN = "Der Fluss stieg am Montag um 40 Zentimeter. Die Stadt schloss ihre älteste Brücke."
HERE = tempfile.mkdtemp()
MODEL = shutil.copy(FIXTURES / "models/llama/model.gguf", Path(HERE) / "translator.gguf")


def tearDownModule():
    shutil.rmtree(HERE)


def options(**more):
    return {"model": MODEL, "cache_dir": Path(HERE) / "cache", "offline": True, **more}


def needs(package):
    return unittest.skipUnless(importlib.util.find_spec(package), f"{package} is not installed")


class Translating(unittest.TestCase):
    def test_one_text_gives_one_translation(self):
        done = polygist.translate(FRENCH, to="en", source="fr", **options())
        self.assertEqual((done.source, done.target), ("fr", "en"))
        self.assertEqual(len(done.sentences), 2)
        self.assertTrue(FRENCH.startswith(done.sentences[0].source))
        self.assertEqual(str(done), done.text)
        # Random weights write nonsense, which the checks complain of.
        self.assertTrue(done.problems)
        self.assertIn("Translation(", repr(done))

    def test_each_text_is_of_its_own_language_and_results_do_not_depend_on_others(self):
        translator = polygist.Translator(**options())
        done = translator.translate([FRENCH, None, GERMAN, "", "42"], to="en")
        self.assertEqual([d and d.source for d in done], ["fr", None, "de", "und", "und"])
        self.assertEqual([done[3].text, done[4].text], ["", "42"])
        alone = translator.translate(GERMAN, to="en", source="de")
        self.assertEqual(alone.text, done[2].text)
        english = "The river rose by 40 centimetres on Monday."
        self.assertEqual(translator.translate(english, to="en").text, english)

    def test_the_program_gives_the_same(self):
        done = polygist.translate(FRENCH, to="en", source="fr", **options())
        code = "import polygist, sys; sys.argv[0] = 'polygist'; polygist._main()"
        arguments = ["translate", "--to", "en", "--from", "fr", "--offline", "--model", MODEL]
        program = subprocess.run(
            [sys.executable, "-c", code, *arguments, "--cache-dir", HERE, "--lines"],
            input=FRENCH,
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(program.stdout.strip(), done.text)

    def test_what_makes_no_sense_is_an_error_that_says_so(self):
        translator = polygist.Translator(**options())
        with self.assertRaisesRegex(ValueError, "not a language code|nonsense"):
            translator.translate(FRENCH, to="nonsense!")
        with self.assertRaisesRegex(TypeError, r"texts\[1\]: expected a string"):
            translator.translate([FRENCH, 7], to="en")
        with self.assertRaisesRegex(ValueError, r"texts\[0\].*source="):
            translator.translate(["Xq zzv wrk"], to="en")
        with self.assertRaisesRegex(ValueError, "preset"):
            polygist.Translator(preset="better")
        with self.assertRaisesRegex(ValueError, "precision"):
            polygist.Translator(precision="int3")
        with self.assertRaisesRegex(polygist.PolygistError, "no-such-model"):
            polygist.translate(FRENCH, to="en", **options(model="no-such-model"))

    def test_other_threads_go_on(self):
        translator, counted = polygist.Translator(**options()), 0
        work = threading.Thread(target=translator.translate, args=([FRENCH] * 20, "en", "fr"))
        work.start()
        while work.is_alive():
            time.sleep(0.001)
            counted += 1
        self.assertGreater(counted, 3)

    @unittest.skipIf(sys.platform == "win32", "signals are otherwise there")
    def test_a_signal_stops_the_work_and_the_translator_is_of_use_after_it(self):
        class Stopped(Exception):
            pass

        def stop(*_):
            raise Stopped

        before = signal.signal(signal.SIGALRM, stop)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        translator = polygist.Translator(**options())
        expected = translator.translate(FRENCH, "en", "fr").text
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        texts = [f"{FRENCH} Il y a {n} raisons." for n in range(3000)]
        with self.assertRaises(Stopped):
            translator.translate(texts, "en", "fr")
        self.assertEqual(translator.translate(FRENCH, "en", "fr").text, expected)

    @needs("pandas")
    def test_a_column_of_pandas_stays_one(self):
        import pandas

        column = pandas.Series([FRENCH, None, GERMAN], index=[7, 8, 9], name="text")
        done = polygist.translate(column, to="en", **options())
        self.assertEqual((list(done.index), done.name), ([7, 8, 9], "text"))
        self.assertIsInstance(done[7], str)
        self.assertTrue(pandas.isna(done[8]))

    @needs("pyarrow")
    def test_an_array_of_arrow_stays_one(self):
        import pyarrow

        done = polygist.translate(pyarrow.array([FRENCH, None]), to="en", **options())
        self.assertEqual(done.type, pyarrow.string())
        self.assertIsNone(done[1].as_py())

    @needs("polars")
    def test_a_column_of_polars_stays_one(self):
        import polars

        done = polygist.translate(polars.Series("a", [FRENCH, None]), to="en", **options())
        self.assertEqual((done.name, done.dtype), ("a", polars.String))


class Others(unittest.TestCase):
    def test_summaries(self):
        article = " ".join([FRENCH, "Le train est en retard.", "Il pleut depuis trois jours."])
        done = polygist.summarize(article, length="1s")
        self.assertEqual((done.language, len(done.sentences)), ("fr", 1))
        self.assertIn(str(done), article)
        self.assertEqual(polygist.summarize([article, None], length="1s")[1], None)
        with self.assertRaisesRegex(ValueError, "length|expected"):
            polygist.summarize(article, length="enormous")

    def test_languages(self):
        code, confidence = polygist.detect(GERMAN)
        self.assertEqual(code, "de")
        self.assertGreater(confidence, 0.8)

    def test_it_is_typed(self):
        folder = Path(polygist.__file__).parent
        self.assertTrue((folder / "py.typed").exists() and (folder / "__init__.pyi").exists())


if __name__ == "__main__":
    unittest.main()
