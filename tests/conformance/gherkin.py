"""Reads the subset of Gherkin that TinkerPop's features use: scenarios with steps, doc strings and tables."""
import pathlib
import re


class Scenario:
    """One scenario: where it stands, its tags, and its steps as (text, doc string, table)."""

    def __init__(self, path, name, tags):
        self.path, self.name, self.tags, self.steps = path, name, tags, []

    def key(self):
        """Names occur twice in the suite: the file tells them apart."""
        return f'{self.path}:{self.name}'


def cells(line):
    """The cells of a table row; \\\\| is a bar within one, two backslashes are one."""
    return [cell.strip().replace('\\|', '|').replace('\\\\', '\\') for cell in re.split(r'(?<!\\)\|', line.strip())[1:-1]]


def read_feature(path, root):
    """All scenarios of one file."""
    scenarios, tags, feature_tags, doc, margin = [], [], [], None, 0
    for line in pathlib.Path(path).read_text(encoding='utf-8').splitlines():
        text = line.strip()
        if doc is not None:
            if text == '"""':
                step = scenarios[-1].steps[-1]
                step[1] = '\n'.join(doc)
                doc = None
            else:
                doc.append(line[margin:].rstrip() if not line[:margin].strip() else text)
        elif text == '"""':
            doc, margin = [], len(line) - len(line.lstrip())
        elif text.startswith('@'):
            tags += text.split()
        elif text.startswith('Feature:'):
            feature_tags, tags = tags, []
        elif text.startswith('Scenario:'):
            name = text[len('Scenario:'):].strip()
            scenarios.append(Scenario(str(path.relative_to(root)), name, set(feature_tags + tags)))
            tags = []
        elif text.startswith('|'):
            scenarios[-1].steps[-1][2].append(cells(text))
        elif re.match(r'(Given|When|Then|And|But) ', text):
            scenarios[-1].steps.append([text.split(' ', 1)[1], None, []])
    return scenarios


def read_all(root):
    """All scenarios below a folder, in the order of paths."""
    root = pathlib.Path(root)
    return [scenario for path in sorted(root.rglob('*.feature')) for scenario in read_feature(path, root)]
