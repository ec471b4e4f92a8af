/*
 * A PKCS#11 module that hands every call on to another one, and fails where it is told to. It is told through the environment:
 *
 *   SHIM_MODULE      the module behind it
 *   SHIM_FAIL_AT     number of the call that fails, from C_Initialize on (0: none)
 *   SHIM_FAIL_NAME   the function that fails, instead of a number
 *   SHIM_FAIL_CKR    what it answers
 *   SHIM_FAIL_ON     "1": every later call fails as well, as with a token that was pulled
 *   SHIM_FLAGS       flags that the token reports beside its own
 *   SHIM_PIN_LEFT    attempts at the PIN that are left; counted down, reported by flags, none is a lock
 *   SHIM_PAD_PIN     what somebody types on the PIN pad of the token
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cryptoki.h"

static CK_FUNCTION_LIST_PTR real;
static CK_FUNCTION_LIST shim;
static unsigned long calls;
static int gone;

static unsigned long number(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : strtoul(text, NULL, 0);
}

/* What a call answers instead of being handed on; CKR_OK hands it on. */
static CK_RV gate(const char *function) {
  const char *named = getenv("SHIM_FAIL_NAME");
  unsigned long at = number("SHIM_FAIL_AT");
  calls++;
  if (gone) return number("SHIM_FAIL_CKR");
  if ((at != 0 && calls == at) || (named != NULL && strcmp(named, function) == 0)) {
    gone = number("SHIM_FAIL_ON") == 1;
    return number("SHIM_FAIL_CKR");
  }
  return CKR_OK;
}

#define FORWARD(name, parameters, arguments)                 \
  static CK_RV shim_##name parameters {                      \
    CK_RV answer = gate(#name);                              \
    return answer == CKR_OK ? real->name arguments : answer; \
  }

FORWARD(C_GetInfo, (CK_INFO_PTR info), (info))
FORWARD(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count), (present, slots, count))
FORWARD(C_InitToken, (CK_SLOT_ID slot, CK_UTF8CHAR_PTR pin, CK_ULONG length, CK_UTF8CHAR_PTR label), (slot, pin, length, label))
FORWARD(C_InitPIN, (CK_SESSION_HANDLE session, CK_UTF8CHAR_PTR pin, CK_ULONG length), (session, pin, length))
FORWARD(C_GetMechanismList, (CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR list, CK_ULONG_PTR count), (slot, list, count))
FORWARD(C_OpenSession, (CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR data, CK_NOTIFY notify, CK_SESSION_HANDLE_PTR session),
        (slot, flags, data, notify, session))
FORWARD(C_CloseSession, (CK_SESSION_HANDLE session), (session))
FORWARD(C_Logout, (CK_SESSION_HANDLE session), (session))
FORWARD(C_CreateObject, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_OBJECT_HANDLE_PTR object),
        (session, list, count, object))
FORWARD(C_DestroyObject, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object), (session, object))
FORWARD(C_GetAttributeValue, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR list, CK_ULONG count),
        (session, object, list, count))
FORWARD(C_FindObjectsInit, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR list, CK_ULONG count), (session, list, count))
FORWARD(C_FindObjects, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR objects, CK_ULONG most, CK_ULONG_PTR count),
        (session, objects, most, count))
FORWARD(C_FindObjectsFinal, (CK_SESSION_HANDLE session), (session))
FORWARD(C_SignInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key), (session, mechanism, key))
FORWARD(C_Sign, (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR outLength),
        (session, data, length, out, outLength))
FORWARD(C_EncryptInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key), (session, mechanism, key))
FORWARD(C_Encrypt, (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR outLength),
        (session, data, length, out, outLength))
FORWARD(C_DecryptInit, (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key), (session, mechanism, key))
FORWARD(C_Decrypt, (CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR outLength),
        (session, data, length, out, outLength))
FORWARD(C_GenerateKey,
        (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_OBJECT_HANDLE_PTR key),
        (session, mechanism, list, count, key))
FORWARD(C_GenerateKeyPair,
        (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR publicList, CK_ULONG publicCount,
         CK_ATTRIBUTE_PTR privateList, CK_ULONG privateCount, CK_OBJECT_HANDLE_PTR publicKey, CK_OBJECT_HANDLE_PTR privateKey),
        (session, mechanism, publicList, publicCount, privateList, privateCount, publicKey, privateKey))
FORWARD(C_UnwrapKey,
        (CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE under, CK_BYTE_PTR wrapped, CK_ULONG length,
         CK_ATTRIBUTE_PTR list, CK_ULONG count, CK_OBJECT_HANDLE_PTR key),
        (session, mechanism, under, wrapped, length, list, count, key))

static CK_RV shim_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  CK_RV answer = gate("C_GetTokenInfo");
  if (answer == CKR_OK) answer = real->C_GetTokenInfo(slot, info);
  if (answer != CKR_OK) return answer;
  info->flags |= number("SHIM_FLAGS");
  if (getenv("SHIM_PIN_LEFT") != NULL) {
    unsigned long left = number("SHIM_PIN_LEFT");
    if (left == 0) info->flags |= CKF_USER_PIN_LOCKED;
    if (left == 1) info->flags |= CKF_USER_PIN_FINAL_TRY;
    if (left <= 2) info->flags |= CKF_USER_PIN_COUNT_LOW;
  }
  return CKR_OK;
}

static CK_RV shim_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG length) {
  CK_RV answer = gate("C_Login");
  char *typed = getenv("SHIM_PAD_PIN");
  if (answer != CKR_OK) return answer;
  if (getenv("SHIM_PIN_LEFT") != NULL && number("SHIM_PIN_LEFT") == 0) return CKR_PIN_LOCKED;
  /* pkcs11js passes no null pointer. */
  if ((pin == NULL_PTR || length == 0) && typed != NULL) {
    pin = (CK_UTF8CHAR_PTR)typed;
    length = strlen(typed);
  }
  answer = real->C_Login(session, user, pin, length);
  if (answer == CKR_PIN_INCORRECT && getenv("SHIM_PIN_LEFT") != NULL) {
    char left[24];
    snprintf(left, sizeof left, "%lu", number("SHIM_PIN_LEFT") - 1);
    setenv("SHIM_PIN_LEFT", left, 1);
  }
  return answer;
}

static CK_RV shim_C_Initialize(CK_VOID_PTR arguments) {
  calls = 0;
  gone = 0;
  return real->C_Initialize(arguments);
}

/* Whatever was pulled, a process can leave the module. */
static CK_RV shim_C_Finalize(CK_VOID_PTR reserved) { return real->C_Finalize(reserved); }

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  CK_C_GetFunctionList get;
  const char *path = getenv("SHIM_MODULE");
  void *library = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return CKR_GENERAL_ERROR;
  get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
  if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  shim = *real;
#define PUT(name) shim.name = shim_##name
  PUT(C_Initialize); PUT(C_Finalize); PUT(C_GetInfo); PUT(C_GetSlotList); PUT(C_GetTokenInfo); PUT(C_InitToken);
  PUT(C_InitPIN); PUT(C_GetMechanismList); PUT(C_OpenSession); PUT(C_CloseSession); PUT(C_Login); PUT(C_Logout);
  PUT(C_CreateObject); PUT(C_DestroyObject); PUT(C_GetAttributeValue); PUT(C_FindObjectsInit); PUT(C_FindObjects);
  PUT(C_FindObjectsFinal); PUT(C_SignInit); PUT(C_Sign); PUT(C_EncryptInit); PUT(C_Encrypt); PUT(C_DecryptInit);
  PUT(C_Decrypt); PUT(C_GenerateKey); PUT(C_GenerateKeyPair); PUT(C_UnwrapKey);
  shim.C_GetFunctionList = C_GetFunctionList;
  *list = &shim;
  return CKR_OK;
}
