import { describe, expect, test } from 'bun:test';
import { compileTemplate } from './index.ts';

const data = {
  Name: '/web',
  State: { Status: 'running', Pid: 12, OOMKilled: false },
  Args: ['a', 'b'],
  Labels: { b: '2', a: '1' },
  Empty: [],
  Label: (key: unknown) => (key === 'a' ? '1' : ''),
};

describe('compileTemplate', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['plain', 'plain'],
    ['{{.State.Status}}:{{.State.Pid}}', 'running:12'],
    ['{{json .Args}}', '["a","b"]'],
    ['{{.State | json}}', '{"Status":"running","Pid":12,"OOMKilled":false}'],
    ['{{range .Args}}<{{.}}>{{end}}', '<a><b>'],
    ['{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 '],
    ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
    ['{{if .State.OOMKilled}}oom{{else if eq .State.Pid 12}}twelve{{else}}no{{end}}', 'twelve'],
    ['{{with .State}}{{.Pid}}{{end}}', '12'],
    ['{{$p := .State.Pid}}{{$p}}', '12'],
    ['{{index .Args 1}} {{index .Labels "a"}}', 'b 1'],
    ['{{printf "%-5s|%d" .Name .State.Pid}}', '/web |12'],
    ['{{println .Name .State.Pid}}', '/web 12\n'],
    ['{{upper (join .Args ",")}}', 'A,B'],
    ['{{.Label "a"}}', '1'],
    ['{{(index .Args 0)}}{{/* note */}}', 'a'],
    ['a {{- .Name -}} b', 'a/webb'],
    ['{{.Missing}}', '<no value>'],
    ['{{.Args}} {{.Labels}}', '[a b] map[b:2 a:1]'],
    ['{{len .Args}}{{not .Empty}}{{and 1 0}}{{or "" "x"}}', '2true0x'],
  ];
  for (const [source, expected] of cases) test(source, () => expect(compileTemplate(source)(data)).toBe(expected));

  const failures: readonly (readonly [string, string])[] = [
    ['{{.A', 'template parsing error: template: :1: unclosed action'],
    ['{{if .A}}x', 'template parsing error: template: :1: unexpected EOF'],
    ['{{nope .A}}', 'function "nope" not defined'],
    ['{{.Missing.X}}', 'template: :1:2: executing "" at <.X>: nil data; no entry for key "X"'],
    ['{{index .Args 5}}', 'error calling index: index out of range: 5'],
  ];
  for (const [source, message] of failures) test(`${source} fails`, () => expect(() => compileTemplate(source)(data)).toThrow(message));
});
