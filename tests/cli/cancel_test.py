# SPDX-License-Identifier: MIT
"""Transfers that are given up: by a loop that ends early, by the end of the run, by a time limit.
Nothing of them may stay behind; under the sanitizers every byte is accounted for."""

import unittest

from host import Case
from loop_server import LoopServer, envelope

COUNT = 1000


class Server(LoopServer):
    """Answers the first page of a list, and nothing else, ever. Counts the requests."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    async def talk(self, reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            self.seen += 1
            if b"?page=1&" in head:
                rows = [{"sitekey": f"0x4{i:04}", "name": "acme"} for i in range(5)]
                writer.write(envelope(
                    rows, result_info={"total_count": 500, "per_page": 5, "page": 1}))


class Cancel(Case):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(Server())

    def run_many(self, code, status, *options):
        done = self.lua(code, "--concurrency", "1000", "--rate", "1000000/1", "--quiet",
                        *options, sandbox=self.server.url)
        self.assert_status(done, status)
        return done

    def test_loops_that_end_early(self):
        """Each list has seven pages under way when its loop is left."""
        done = self.run_many(f"""
          local count = 0
          for round = 1, 3 do
            local lists = {{}}
            for i = 1, {COUNT} // 7 + 1 do lists[i] = i end
            task.each(lists, function()
              for w in widgets.list {{ per_page = 5 }} do
                assert(w.sitekey)
                count = count + 1
                break
              end
            end, {{ concurrency = 1000 }})
          end
          print(count)""", 0)
        self.assertEqual(int(done.out), 3 * (COUNT // 7 + 1))

    def test_lists_that_are_forgotten(self):
        self.run_many(f"""
          for i = 1, {COUNT} // 7 + 1 do
            local iterator = widgets.list {{ per_page = 5 }}
            assert(iterator())
          end
          collectgarbage()""", 0)

    def test_the_end_of_the_script(self):
        """Tasks in flight are waited for, as long as a request may take."""
        for end, status in (("os.exit(3)", 9), ("error 'enough'", 9), ("", 9)):
            with self.subTest(end):
                before = self.server.seen
                self.run_many(f"""
                  for i = 1, {COUNT} do
                    task.spawn(function() widgets.get('0x4' .. i) end)
                  end
                  for i = 1, {COUNT} do
                    task.spawn(function() widgets.get('0x5' .. i) end)
                  end
                  task.sleep(0)
                  {end}""", status, "--timeout", "2", "--max-wait", "0")
                # Without a stop the first are tried again until the run gives up.
                sent = self.server.seen - before
                self.assertEqual(sent, COUNT if end else 5 * COUNT)

    def test_writes_are_told_as_unknown(self):
        done = self.run_many(f"""
          for i = 1, {COUNT} do
            task.spawn(function()
              widgets.create {{ name = 'n' .. i, domains = {{ 'a.example' }}, mode = 'managed' }}
            end)
          end
          task.sleep(0)
          os.exit(0)""", 10, "--timeout", "2")
        self.assertIn(f"{COUNT:,} in doubt", done.err)


if __name__ == "__main__":
    unittest.main()
