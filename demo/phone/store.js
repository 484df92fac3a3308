// What the phone keeps: in IndexedDB, because only there a key can stay that cannot be read out.

const opened = new Promise((resolve, reject) => {
  const asked = indexedDB.open("ngomon-phones", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("kept");
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

async function run(mode, act) {
  const store = (await opened).transaction("kept", mode).objectStore("kept");
  return new Promise((resolve, reject) => {
    const asked = act(store);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

export const get = (name) => run("readonly", (store) => store.get(name));
export const put = (name, value) => run("readwrite", (store) => store.put(value, name));
export const drop = (name) => run("readwrite", (store) => store.delete(name));
