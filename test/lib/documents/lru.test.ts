import { test } from 'tap';
import { LruMap } from '#lib/documents/lru.ts';

test('keeps what is used and forgets the rest once it weighs too much', async (t) => {
  const map = new LruMap<string, number>(10);
  map.set('used', 1);
  for (let i = 0; i < 100; i += 1) {
    map.set(`k${i}`, i);
    t.ok(map.size <= 10);
    t.equal(map.get('used'), 1);
  }
  t.equal(map.get('k99'), 99);
  t.equal(map.get('k5'), undefined);
});

test('counts weights, also of what is replaced or deleted', async (t) => {
  const map = new LruMap<string, string>(10);
  map.set('heavy', 'x', 6);
  t.equal(map.get('heavy'), undefined, 'nothing may take more than half');
  for (let i = 0; i < 20; i += 1) {
    map.set('a', 'x', 4);
    map.delete('a');
    map.set('b', `${i}`, 2);
    map.set('b', `${i}`, 1);
  }
  t.equal(map.get('b'), '19');
  t.equal(map.size, 1);
});
