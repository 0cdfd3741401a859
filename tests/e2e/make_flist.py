#!/usr/bin/env python3
"""make_flist.py FOLDER FLIST STORE ROUTE... : a flist of the folder, its blocks in the folder STORE.

ROUTE is where machines' nodes find them: URL, or FIRST-LAST=URL for blocks whose id begins with these bytes.
Blocks of even first bytes lie flat in the store, as older ones do.
"""
import ctypes
import ctypes.util
import hashlib
import os
import sqlite3
import stat
import sys

BLOCK = 512 * 1024
crypto = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
snappy = ctypes.CDLL(ctypes.util.find_library("snappy") or "libsnappy.so.1")
crypto.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
crypto.EVP_aes_256_gcm.restype = ctypes.c_void_p
SET_IVLEN, GET_TAG = 9, 16


def compress(data):
    out = ctypes.create_string_buffer(32 + len(data) + len(data) // 6)
    size = ctypes.c_size_t(len(out))
    assert snappy.snappy_compress(data, ctypes.c_size_t(len(data)), out, ctypes.byref(size)) == 0
    return out.raw[:size.value]


def encrypt(data, key):
    context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
    cipher = ctypes.c_void_p(crypto.EVP_aes_256_gcm())
    out = ctypes.create_string_buffer(len(data) + 16)
    tag = ctypes.create_string_buffer(16)
    size = ctypes.c_int(0)
    assert crypto.EVP_EncryptInit_ex(context, cipher, None, None, None) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(context, SET_IVLEN, 12, None) == 1
    assert crypto.EVP_EncryptInit_ex(context, None, None, key, key[:12]) == 1
    assert crypto.EVP_EncryptUpdate(context, out, ctypes.byref(size), data, len(data)) == 1
    assert crypto.EVP_EncryptFinal_ex(context, None, ctypes.byref(ctypes.c_int(0))) == 1
    assert crypto.EVP_CIPHER_CTX_ctrl(context, GET_TAG, 16, tag) == 1
    crypto.EVP_CIPHER_CTX_free(context)
    return out.raw[:size.value] + tag.raw


def blake(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def store_block(store, data):
    key = blake(data)
    blob = encrypt(compress(data), key)
    name = blake(blob)
    folder = store if name[0] % 2 == 0 else os.path.join(store, name.hex()[:2])
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name.hex()), "wb") as out:
        out.write(blob)
    return name, key


def add(db, store, path, name, parent, ino):
    st = os.lstat(path)
    db.execute("INSERT INTO inode VALUES (?,?,?,?,?,?,?,?,?,?)",
               (ino, parent, name, st.st_size if stat.S_ISREG(st.st_mode) else 0, st.st_uid, st.st_gid,
                st.st_mode, st.st_rdev, int(st.st_ctime), int(st.st_mtime)))
    if stat.S_ISLNK(st.st_mode):
        db.execute("INSERT INTO extra VALUES (?,?)", (ino, os.readlink(path).encode()))
    elif stat.S_ISREG(st.st_mode):
        with open(path, "rb") as data:
            while block := data.read(BLOCK):
                db.execute("INSERT INTO block VALUES (?,?,?)", (ino, *store_block(store, block)))
    elif stat.S_ISDIR(st.st_mode):
        return True
    return False


def main():
    folder, flist, store, *routes = sys.argv[1:]
    os.makedirs(store, exist_ok=True)
    if os.path.exists(flist):
        os.unlink(flist)
    db = sqlite3.connect(flist)
    db.executescript("""
        CREATE TABLE inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, name VARCHAR(255), size INTEGER,
            uid INTEGER, gid INTEGER, mode INTEGER, rdev INTEGER, ctime INTEGER, mtime INTEGER);
        CREATE TABLE extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096));
        CREATE TABLE block (ino INTEGER, id VARCHAR(32), key VARCHAR(32));
        CREATE TABLE tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255));
        CREATE TABLE route (start INTEGER, end INTEGER, url VARCHAR(2048));
        INSERT INTO tag VALUES ('version', '1');
    """)
    for route in routes:
        span, _, url = route.rpartition("=") if "=" in route else ("0-255", "", route)
        first, last = span.split("-")
        db.execute("INSERT INTO route VALUES (?,?,?)", (int(first), int(last), url))
    queue, ino = [(folder, "/", 0)], 0
    for path, name, parent in queue:
        ino += 1
        if add(db, store, path, name, parent, ino):
            queue += [(os.path.join(path, n), n, ino) for n in sorted(os.listdir(path))]
    db.commit()
    db.close()


main()
