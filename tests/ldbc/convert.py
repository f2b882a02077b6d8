#!/usr/bin/env python3
"""LDBC SNB (composite CSV with | between fields) to CSV with Neptune headers, for `cardea load`.

    convert.py ARCHIVE.tar.xz FOLDER

Vertex ids are unique in the graph: the LDBC id * 8 + a number of its kind. The LDBC id stays as property id.
Messages of both kinds keep their label (Post, Comment); creationDate is a long as in the source.
"""
import csv
import io
import pathlib
import re
import sys
import tarfile

KINDS = ['Person', 'Forum', 'Post', 'Comment', 'Tag', 'TagClass', 'Place', 'Organisation']
TYPES = {'LONG': 'Long', 'INT': 'Int', 'STRING': 'String'}


def number(kind, text):
    """Id of a vertex in the graph."""
    return int(text) * 8 + KINDS.index(kind)


def rows(data):
    """Fields of each line; nothing is quoted in these files."""
    for line in io.TextIOWrapper(io.BytesIO(data), encoding='utf-8', newline='\n'):
        yield line.rstrip('\n').split('|')


def vertices(kind, data, out):
    """One file of vertices."""
    source = rows(data)
    heads = [re.fullmatch(r'(\w*):(\w+)(?:\(\w+\))?', head).groups() for head in next(source)]
    columns = [(at, name, TYPES.get(type_, 'String')) for at, (name, type_) in enumerate(heads) if type_ not in ('ID', 'LABEL')]
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['~id', '~label', 'id:Long'] + [f'{name}:{type_}' for _, name, type_ in columns])
    label = next((at for at, (_, type_) in enumerate(heads) if type_ == 'LABEL'), None)
    count = 0
    for row in source:
        writer.writerow([number(kind, row[0]), kind if label is None else row[label].capitalize(), row[0]]
                        + [row[at] if at < len(row) else '' for at, _, _ in columns])
        count += 1
    return count


def edges(parts, data, out, first):
    """One file of edges, with or without a header."""
    start, label, end = parts
    source = list(rows(data))
    names = {'Person_knows_Person': 'creationDate:Long', 'Forum_hasMember_Person': 'joinDate:Long', 'Person_likes_Comment': 'creationDate:Long',
             'Person_likes_Post': 'creationDate:Long', 'Person_studyAt_Organisation': 'classYear:Int', 'Person_workAt_Organisation': 'workFrom:Int'}
    if source[0][0].startswith(':START_ID'):
        source = source[1:]
    more = [names[f'{start}_{label}_{end}']] if f'{start}_{label}_{end}' in names else []
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(['~id', '~from', '~to', '~label'] + more)
    for at, row in enumerate(source):
        writer.writerow([first + at, number(start, row[0]), number(end, row[1]), label] + row[2:2 + len(more)])
    return len(source)


def main():
    """Writes nodes-*.csv and edges-*.csv."""
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    total = [0, 0]
    with tarfile.open(sys.argv[1]) as archive:
        for member in sorted(archive.getmembers(), key=lambda one: one.name):
            name = pathlib.Path(member.name)
            if name.suffix != '.csv':
                continue
            parts = re.sub(r'_\d+$', '', name.stem).split('_')
            data = archive.extractfile(member).read()
            with open(folder / f'{"nodes" if len(parts) == 1 else "edges"}-{name.stem}.csv', 'w', encoding='utf-8', newline='') as out:
                if len(parts) == 1:
                    total[0] += vertices(parts[0], data, out)
                else:
                    total[1] += edges(parts, data, out, total[1] + 1)
    print(f'{total[0]} vertices, {total[1]} edges')


if __name__ == '__main__':
    main()
