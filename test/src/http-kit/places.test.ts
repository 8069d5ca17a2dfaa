/** Who gets a place when there are few. */
import { test } from 'tap';
import { Places } from '#src/http-kit/places.ts';

const of = (key: string) => ({ key, isOperator: false });
const OPERATOR = { key: undefined, isOperator: true };

test('nobody has more than a share, and the last places are for operators', (t) => {
  const places = new Places({ most: 8, share: 0.25, reserve: 2 });
  const taken = ['a', 'a', 'b', 'b', 'c', 'c'].map((key) => places.take(of(key)));
  for (const leave of taken) t.type(leave, 'function');
  t.strictSame(places.take(of('d')), { of: 'all', taken: 6 });
  const [first] = taken;
  if (typeof first === 'function') first();
  t.strictSame(places.take(of('b')), { of: 'share', taken: 2 });
  t.type(places.take(of('d')), 'function');
  t.type(places.take(OPERATOR), 'function');
  t.type(places.take(OPERATOR), 'function');
  t.strictSame(places.take(OPERATOR), { of: 'all', taken: 8 });
  t.end();
});

test('of one place there is no share and no reserve; who has no key may take all that is free', (t) => {
  t.type(new Places({ most: 1, share: 0.25, reserve: 4 }).take(of('a')), 'function');
  const places = new Places({ most: 4, share: 0.25, reserve: 4 });
  const anybody = { key: undefined, isOperator: false };
  for (let i = 0; i < 3; i++) t.type(places.take(anybody), 'function');
  t.strictSame(places.take(anybody), { of: 'all', taken: 3 });
  t.end();
});
